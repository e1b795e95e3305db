import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { FakeClock } from 'nest-k8s-auth/testing';
import { CapturedLog } from '../support/captured-log.js';
import { type RunningApp, startService1 } from '../support/services.js';

const PASSWORD = 's3cret-Passw0rd';
/** Control characters, line separators and bidirectional overrides, written as escapes. */
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

describe('the line that service1 logs for a call', () => {
  let target: Server;
  let answer: RequestListener;
  let log: CapturedLog;
  let service1: RunningApp | undefined;

  beforeEach(async () => {
    log = new CapturedLog();
    target = createServer((request, response) => answer(request, response)).listen(0, '127.0.0.1');
    await once(target, 'listening');
  });
  afterEach(async () => {
    await service1?.app.close();
    service1 = undefined;
    target.closeAllConnections();
    target.close();
  });

  const host = () => `127.0.0.1:${(target.address() as AddressInfo).port}`;

  async function start(environment: Record<string, string>): Promise<void> {
    service1 = await startService1({
      ...{ adapter: 'express', clock: new FakeClock(), log },
      environment: {
        INTERVAL_MS: '86400000',
        K8S_AUTH_DESTINATIONS: 'http://other.example=/no/such/file',
        ...environment,
      },
    });
  }

  async function lineFor(body: string | Buffer, userinfo = ''): Promise<string> {
    answer = (_request, response) => response.writeHead(200, { 'content-type': 'text/plain' }).end(body);
    await start({ TARGET_URL: `http://${userinfo}${host()}` });
    const [line = ''] = await log.waitFor(/target=/);
    return line;
  }

  it('shows an ordinary answer unchanged', async () => {
    expect(await lineFor("it's {\"a\": 'b'} \\ \u00fc")).toContain(
      `target=http://${host()}, status=200, response: 'it's {"a": 'b'} \\ \u00fc'`,
    );
  });

  it.each([
    ['terminal sequences', '\u001b]0;owned\u0007\u001b[2J\u009b31m'],
    ['further lines', "ok'\r\nlog target=http://bank, status=200, response: 'forged\u2028\u2029\u0085"],
    ['text that runs backwards', '\u202edefault\u2066\u200f\u061c'],
    [
      'every control character',
      Buffer.from(Array.from({ length: 256 }, (_, code) => code)).toString('latin1'),
    ],
  ])('escapes %s', async (_, body) => {
    const line = await lineFor(body);
    expect(line).toContain(`target=http://${host()}, status=200, response: '`);
    expect(line).not.toMatch(CONTROL);
  });

  it('is truncated for a long answer', async () => {
    expect((await lineFor('\u0007'.repeat(1_000_000))).length).toBeLessThan(2100);
  });

  it('contains no token that the target sends back', async () => {
    expect(await lineFor('Bearer eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJpIn0.c2ln')).toContain("'Bearer [token]'");
  });

  it('contains no password of TARGET_URL, and no other line does', async () => {
    expect(await lineFor('hello', `user:${PASSWORD}@`)).toContain(
      `target=http://***@${host()}/, status=200, response: 'hello'`,
    );
    expect(log.text).toContain(`start client: http://***@${host()}/`);
    expect(log.text).not.toContain(PASSWORD);
  });

  it('contains no password of TARGET_URL when the call fails', async () => {
    answer = (request) => request.destroy();
    await start({ TARGET_URL: `http://user:${PASSWORD}@${host()}` });
    const [line = ''] = await log.waitFor(/target=/);
    expect(line).toContain(`target=http://***@${host()}/, error: '`);
    expect(log.text).not.toContain(PASSWORD);
  });

  it.each([
    ['TARGET_URL', { TARGET_URL: `ftp://user:${PASSWORD}@host` }],
    ['TARGET_URL', { TARGET_URL: `http://user:${PASSWORD}@host:99999` }],
    ['INTERVAL_MS', { TARGET_URL: `http://user:${PASSWORD}@host`, INTERVAL_MS: 'often' }],
    [
      'K8S_AUTH_DESTINATIONS',
      { TARGET_URL: 'http://host', K8S_AUTH_DESTINATIONS: `http://user:${PASSWORD}@h=/f` },
    ],
  ])(
    'is not logged when %s is invalid, and the error contains no password',
    async (variable, environment) => {
      const error: unknown = await start(environment).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error, { depth: 8, showHidden: true })).toContain(variable);
      expect(inspect(error, { depth: 8, showHidden: true }) + log.text).not.toContain(PASSWORD);
    },
  );
});
