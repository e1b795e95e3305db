import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../command.js';
import { parseDevArguments } from './dev.arguments.js';

let directory: string;
let empty: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'dev-arguments-'));
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: '@acme/orders' }));
  writeFileSync(join(directory, '.env'), 'K8S_AUTH_VERIFIER=hybrid\nPORT=4000\n');
  empty = mkdtempSync(join(tmpdir(), 'dev-arguments-'));
});

afterAll(() => {
  for (const one of [directory, empty]) rmSync(one, { recursive: true });
});

const parse = (args: string[], environment: Record<string, string> = {}, at = empty) =>
  parseDevArguments(args, environment, at);
const service = (...args: Parameters<typeof parse>) => parse(...args).services[0];

describe('parseDevArguments', () => {
  it('needs only a command', () => {
    expect(parse(['--', 'nest', 'start', '--watch'])).toMatchObject({
      services: [
        {
          command: ['nest', 'start', '--watch'],
          identity: { namespace: 'default', name: 'my-service' },
          audience: 'my-service',
          verifier: 'oidc-discovery',
          destinations: [],
          tokenFiles: [],
          port: 3000,
          path: '/',
          environment: {},
        },
      ],
      callers: [{ namespace: 'default', name: 'caller' }],
      isVerbose: false,
    });
  });

  it('reads every option', () => {
    const options = parse([
      ...['--as', 'shop/orders', '--audience=orders-api', '--port', '8080', '--path', '/orders', '--verbose'],
      ...['--caller', 'shop/checkout', '--caller', 'shop/admin', '--verifier', 'tokenreview'],
      ...[
        '--token-file',
        '/var/run/tokens/stock=stock-api',
        '--destination',
        'http://localhost:3001=billing',
      ],
      ...['--', 'node', 'main.js', '--port', '1'],
    ]);
    expect(options.callers.map(({ name }) => name)).toEqual(['checkout', 'admin']);
    expect(options.isVerbose).toBe(true);
    expect(options.services).toEqual([
      {
        command: ['node', 'main.js', '--port', '1'],
        identity: { namespace: 'shop', name: 'orders' },
        audience: 'orders-api',
        verifier: 'tokenreview',
        destinations: [{ origin: 'http://localhost:3001', audience: 'billing' }],
        tokenFiles: [{ path: '/var/run/tokens/stock', audience: 'stock-api' }],
        port: 8080,
        path: '/orders',
        environment: { K8S_AUTH_VERIFIER: 'tokenreview', K8S_AUTH_AUDIENCE: 'orders-api' },
      },
    ]);
  });

  it('finds the command without --, which PowerShell removes', () => {
    const command = ['nest', 'start', '--watch', '--', '--as', 'x'];
    expect(service(['--as', 'shop/orders', ...command])?.command).toEqual(command);
  });

  it('uses package.json, .env and the environment, in which the environment overrides .env', () => {
    const args = ['--', 'node', 'x'];
    expect(service(args, {}, directory)).toMatchObject({
      identity: { namespace: 'default', name: 'orders' },
      audience: 'orders',
      verifier: 'hybrid',
      port: 4000,
      environment: {},
    });
    const environment = {
      K8S_AUTH_VERIFIER: 'tokenreview',
      K8S_AUTH_AUDIENCE: 'orders-v2, orders',
      PORT: '5000',
    };
    expect(service(args, environment, directory)).toMatchObject({
      audience: 'orders-v2',
      verifier: 'tokenreview',
      port: 5000,
    });
    expect(parse(args, {}, directory).alsoSet).toEqual(['K8S_AUTH_VERIFIER', 'PORT']);
  });

  it('separates several services with --and, and gives each one a port', () => {
    const { services, callers } = parse([
      ...['--as', 'shop/orders', '--', 'node', 'orders.js'],
      '--and',
      ...['--as', 'shop/checkout', '--verifier', 'none', '--', 'node', 'checkout.js'],
    ]);
    expect(services.map(({ command, port, verifier }) => [command[1], port, verifier])).toEqual([
      ['orders.js', 3000, 'oidc-discovery'],
      ['checkout.js', 3001, undefined],
    ]);
    expect(callers).toEqual([{ namespace: 'shop', name: 'caller' }]);
  });

  it.each([
    [[], 'expected a command'],
    [['--'], 'expected a command'],
    [['--as', 'orders', '--', 'x'], "--as 'orders': expected <namespace>/<name>"],
    [['--caller', 'a/b/c', '--', 'x'], "--caller 'a/b/c': expected <namespace>/<name>"],
    [['--audience', ' ', '--', 'x'], "--audience ' ': expected one audience"],
    [['--audience', 'a,b', '--', 'x'], "--audience 'a,b': expected one audience"],
    [['--verifier', 'token-review', '--', 'x'], "Did you mean 'tokenreview'?"],
    [['--port', '0', '--', 'x'], "--port '0': expected a number from 1 to 65535"],
    [['--path', 'orders', '--', 'x'], "--path 'orders': expected the path of a route"],
    [['--path', '/$(id)', '--', 'x'], "--path '/$(id)': expected the path of a route"],
    [['--destination', 'billing', '--', 'x'], "--destination 'billing': expected <origin>=<audience>"],
    [['--destination', 'http://a/b=c', '--', 'x'], 'expected <origin>=<audience>'],
    [['--token-file', 'billing', '--', 'x'], "--token-file 'billing': expected <path>=<audience>"],
    [['--token-file', 'tokens/a=b', '--', 'x'], 'expected <path>=<audience>'],
    [['--audiense', 'a', '--', 'x'], "there is no option '--audiense'. Did you mean '--audience'?"],
    [['--as', '--', 'x'], '--as'],
  ])('refuses %j', (args, message) => {
    expect(() => parse(args)).toThrow(UsageError);
    expect(() => parse(args)).toThrow(message);
  });
});
