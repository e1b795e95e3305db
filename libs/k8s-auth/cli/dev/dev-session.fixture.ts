import { EventEmitter } from 'node:events';
import { tmpdir } from 'node:os';
import { createServer, type AddressInfo } from 'node:net';
import { systemClock } from '../../src/util/clock.js';
import { DevSession } from './dev-session.js';
import { type KeyInput } from './keyboard.js';

/** Answers with the credentials of the request, and logs them: the worst that a service can do with a token. */
const ECHO = `
  require('node:http').createServer((request, response) => {
    const credentials = request.headers.authorization ?? 'none';
    const [header, payload, signature] = credentials.replace(/^Bearer /, '').split('.');
    const { jti, sub } = payload ? JSON.parse(Buffer.from(payload, 'base64url')) : {};
    console.log("request refused { code: 'ERR_K8S_AUTH_TOKEN_REJECTED', route: 'GET /', reason: '" + credentials + ' ' + payload + ' ' + signature + "'" + (jti ? ", sub: '" + sub + "', credentialId: 'JTI=" + jti + "'" : '') + " }");
    response.writeHead(401, { 'www-authenticate': 'Bearer realm="' + signature + '"' });
    response.end([credentials, header, payload, signature].join('\\n'));
  }).listen(process.env.PORT);
`;

class Keyboard extends EventEmitter implements KeyInput {
  readonly isTTY = true;
  resume(): void {
    // The test emits the keys itself.
  }
  pause(): void {
    // The test emits the keys itself.
  }
}

/** A session of `dev` in this process, around a service that repeats each token that it gets. */
export class EchoSession {
  readonly lines: string[] = [];
  private readonly keyboard = new Keyboard();
  private readonly ended: Promise<number>;
  private waiting: (() => void)[] = [];

  private constructor(port: number) {
    const session = new DevSession(
      {
        services: [
          {
            ...{ command: [process.execPath, '-e', ECHO], port, audience: 'orders', verifier: 'tokenreview' },
            ...{ identity: { namespace: 'shop', name: 'orders' }, destinations: [], environment: {} },
            tries: [{ status: 403, path: '/admin' }],
          },
        ],
        callers: [{ namespace: 'shop', name: 'checkout' }],
        ...{ isVerbose: true, environment: { PATH: process.env.PATH }, alsoSet: [], pagePort: 0 },
      },
      {
        stdin: this.keyboard,
        directory: tmpdir(),
        clock: systemClock,
        writeLine: (line) => {
          this.lines.push(line);
          for (const resolve of this.waiting.splice(0)) resolve();
        },
      },
    );
    this.ended = session.run();
  }

  static async start(): Promise<EchoSession> {
    const session = new EchoSession(await unusedPort());
    await session.waitFor(/\[try\] here:/);
    return session;
  }

  get url(): string {
    return /http:\S+/.exec(this.lines.find((line) => line.includes('live page at')) ?? '')?.[0] ?? '';
  }

  press(key: string): void {
    this.keyboard.emit('data', key);
  }

  async waitFor(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  stop(): Promise<number> {
    this.press('q');
    return this.ended;
  }
}

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
