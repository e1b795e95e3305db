import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { ApplicationProcess, buildOnce } from './application-process.fixture.js';

const BUILD_MS = 120_000;
const RUN_MS = 30_000;

beforeAll(buildOnce, BUILD_MS);

describe('service1 when it receives a signal while it waits for an answer', () => {
  let target: Server;
  let service1: ApplicationProcess;
  let answer: ServerResponse;

  beforeEach(async () => {
    target = createServer().listen(0, '127.0.0.1');
    await once(target, 'listening');
    const { port } = target.address() as AddressInfo;
    const asked = once(target, 'request') as Promise<[unknown, ServerResponse]>;
    service1 = await ApplicationProcess.launch('service1', {
      environment: { TARGET_URL: `http://127.0.0.1:${port}` },
    });
    (await service1.connect()).destroy();
    [, answer] = await asked;
  }, RUN_MS);

  afterEach(async () => {
    await service1.signal('SIGKILL');
    target.closeAllConnections();
    target.close();
  });

  it(
    'logs the answer that arrives shortly after',
    async () => {
      const ended = service1.signal('SIGTERM');
      while (await isListening(service1.port));
      answer.end('hello');
      expect(await ended).toBe(0);
      expect(service1.text).toContain("status=200, response: 'hello'");
    },
    RUN_MS,
  );

  it(
    'does not wait for the timeout of a target that does not answer',
    async () => {
      expect(await service1.signal('SIGTERM')).toBe(0);
      expect(service1.text).not.toContain('target=');
    },
    RUN_MS,
  );
});

async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const isOpen = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  });
  socket.destroy();
  return isOpen;
}
