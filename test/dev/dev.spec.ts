import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { freePort } from '../../libs/k8s-auth/test-support/free-port.js';
import { buildOnce, DevProcess, send } from './dev-process.fixture.js';

const BUILD_MS = 120_000;
const RUN_MS = 60_000;
const ORDERS = ['--', process.execPath, 'test/dev/orders.process.mjs'];
const IDENTITIES = ['--as', 'shop/orders', '--caller', 'shop/checkout'];

/** Simulates that the optional package is not installed: a service that `dev` starts must not need it. */
const WITHOUT_CLIENT_NODE = dataUrl(`import { register } from 'node:module';
  register('${dataUrl(`export async function resolve(specifier, context, next) {
    if (specifier === '@kubernetes/client-node') throw new Error('is not installed');
    return next(specifier, context);
  }`)}');`);

function dataUrl(code: string): string {
  return `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`;
}

describe('npx nest-k8s-auth dev', () => {
  let port: string;
  let dev: DevProcess | undefined;

  beforeAll(buildOnce, BUILD_MS);
  beforeEach(async () => {
    port = String(await freePort());
  });
  afterEach(async () => {
    await dev?.signal('SIGINT');
  }, RUN_MS);

  async function start(args: readonly string[], environment?: Record<string, string>): Promise<DevProcess> {
    dev = new DevProcess(['--port', port, '--path', '/orders', ...args], environment);
    await dev.waitFor(/\[try\] here:/);
    return dev;
  }
  const firstTry = (process: DevProcess) => process.tries()[0]?.command ?? '';
  const answer = async (process: DevProcess) => (await send(firstTry(process))).text();

  it(
    'runs an AppModule with forRoot, and the printed commands get the printed statuses',
    async () => {
      // A kubeconfig of the user that would fail startup if the service read it.
      const started = await start([...IDENTITIES, ...ORDERS], {
        KUBECONFIG: '/missing/kubeconfig',
        NODE_OPTIONS: `--import ${WITHOUT_CLIENT_NODE}`,
      });
      expect(started.tries().map(({ status }) => status)).toEqual(['200', '401', '401', '401']);
      for (const { status, command } of started.tries()) {
        expect(`${command} ${(await send(command)).status}`).toBe(`${command} ${status}`);
      }
      expect(await answer(started)).toContain('hello system:serviceaccount:shop:checkout');
      expect(started.text).not.toMatch(/eyJ/);
      expect(started.text).not.toContain('InstanceLoader');
    },
    RUN_MS,
  );

  it.each(['tokenreview', 'jwt-pubkey', 'oidc-discovery', 'hybrid'])(
    'runs an AppModule with forRootAsync and the verifier %s',
    async (verifier) => {
      const started = await start(['--verifier', verifier, ...IDENTITIES, ...ORDERS, 'forRootAsync']);
      expect((await send(firstTry(started))).status).toBe(200);
      expect(started.text).not.toContain('without effect');
    },
    RUN_MS,
  );

  it(
    'keeps the printed commands valid across rotations of the token and of the signing key',
    async () => {
      const started = await start([...IDENTITIES, ...ORDERS]);
      started.type('t');
      await started.waitFor(/every token rotated/);
      expect((await send(firstTry(started))).status).toBe(200);
      started.type('k');
      await started.waitFor(/signing key rotated/);
      expect((await send(firstTry(started))).status).toBe(200);
    },
    RUN_MS,
  );

  it(
    'refuses a deleted caller until it is created again, and answers 503 during an outage',
    async () => {
      const started = await start(['--verifier', 'tokenreview', ...IDENTITIES, ...ORDERS, 'forRootAsync']);
      started.type('d');
      await started.waitFor(/shop\/checkout deleted/);
      expect((await send(firstTry(started))).status).toBe(401);
      started.type('d');
      await started.waitFor(/shop\/checkout created again/);
      started.type('o');
      await started.waitFor(/outage: /);
      expect((await send(firstTry(started))).status).toBe(503);
      started.type('o');
      await started.waitFor(/outage ended/);
    },
    RUN_MS,
  );

  it(
    'keeps the cluster when the command is restarted',
    async () => {
      const started = await start([...IDENTITIES, ...ORDERS]);
      const before = await answer(started);
      started.type('r');
      await started.waitFor(/\[dev\] restarted/);
      await started.waitFor(/\[dev\] shop\/orders at/, 2);
      const after = await answer(started);
      expect(after).toContain('hello system:serviceaccount:shop:checkout');
      expect(after).not.toBe(before);
    },
    RUN_MS,
  );

  it(
    'lets one service call another in the same cluster',
    async () => {
      const client = ['--as', 'shop/checkout', '--verifier', 'none', '--port', String(await freePort())];
      const destination = ['--destination', `http://localhost:${port}=orders`];
      const command = ['--', process.execPath, 'test/dev/client.process.mjs'];
      const started = await start([...IDENTITIES, ...ORDERS, '--and', ...client, ...destination, ...command]);
      const [line] = await started.waitFor(/^\[checkout\] status=/);
      expect(line).toMatch(/status=200 hello system:serviceaccount:shop:checkout/);
    },
    RUN_MS,
  );

  it(
    'leaves no process and no file behind after Ctrl-C, with status 0',
    async () => {
      const started = await start([...IDENTITIES, ...ORDERS]);
      const paths = [...started.text.matchAll(/(?<=\(cat |--kubeconfig )[^\s)]+/g)].map(([path]) => path);
      expect(paths.length).toBeGreaterThanOrEqual(4);
      expect(paths.map((path) => existsSync(path))).toEqual(paths.map(() => true));
      expect(await started.signal('SIGINT')).toBe(0);
      expect(paths.map((path) => existsSync(path))).toEqual(paths.map(() => false));
      await expect(fetch(`http://localhost:${port}/orders`)).rejects.toThrow();
    },
    RUN_MS,
  );

  it('ends with the status of the command if there is no terminal', async () => {
    dev = new DevProcess(['--port', port, '--', process.execPath, '-e', 'process.exitCode = 7']);
    expect(await dev.ended).toBe(7);
    expect(dev.text).toContain('ended with status 7');
  });

  it('names the port that is in use, and the option for another port', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, resolve));
    const used = (server.address() as AddressInfo).port;
    dev = new DevProcess(['--port', String(used), ...ORDERS]);
    expect(await dev.ended).toBe(1);
    expect(dev.text).toMatch(new RegExp(`port ${used} .* is in use: .* with --port \\d+`));
    await new Promise((resolve) => server.close(resolve));
  });

  it('refuses wrong arguments with status 2, before anything starts', async () => {
    dev = new DevProcess(['--verifire', 'hybrid', ...ORDERS]);
    expect(await dev.ended).toBe(2);
    expect(dev.text).toContain("there is no option '--verifire'. Did you mean '--verifier'?");
  });
});
