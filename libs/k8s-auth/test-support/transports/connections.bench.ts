import { type Type } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import { io } from 'socket.io-client';
import { WebSocket } from 'ws';
import { InvalidTokenError, VerifierUnavailableError } from '../../src/errors.js';
import { createPrincipal } from '../../src/identity/principal.js';
import { type Verify } from '../../src/verifiers/verifier.js';
import { type FakeClock } from '../../testing/fake-clock.js';
import { type AppSetup } from '../inbound-app.js';
import { ScriptedVerifier } from '../scripted-verifier.js';
import { startBench } from './start-bench.js';
import { type BenchSetup, TOKEN_LIFETIME_MS } from './transport-bench.js';

/** What a client learns when it tries to connect. */
export type Outcome =
  | { readonly client: ConnectedClient }
  | {
      readonly refusal: unknown;
      readonly message?: string;
      readonly status?: number | undefined;
      readonly headers?: object;
    };

/** `accepted`, or the code of the refusal. */
export function outcomeOf(outcome: Outcome): string {
  return 'client' in outcome ? 'accepted' : (outcome.refusal as { code: string }).code;
}

export interface ConnectedClient {
  /** The events that the server has sent. */
  readonly received: string[];
  readonly closed: Promise<void>;
  close(): void;
}

export interface ConnectionBench {
  readonly name: 'socket.io' | 'ws';
  readonly start: (
    gateways: Type[],
    setup?: BenchSetup & Pick<AppSetup, 'enforce' | 'configure' | 'imports'>,
  ) => Promise<RunningConnectionBench>;
}

export type RunningConnectionBench = Awaited<ReturnType<typeof startBench>> & {
  readonly connect: (token?: string, path?: string) => Promise<Outcome>;
  /** Ends the verification of tokens such as `slow.orders`. */
  readonly release: () => void;
};

/**
 * Accepts tokens such as `checkout.orders`, which is issued for the audience orders. `outage` cannot be verified, and
 * `slow.orders` not before `release` is called.
 */
class AudienceVerifier extends ScriptedVerifier {
  release = (): void => undefined;
  private readonly released = new Promise<void>((resolve) => (this.release = resolve));

  constructor(clock: FakeClock) {
    super();
    const expiresAtMs = clock.wallMs() + TOKEN_LIFETIME_MS;
    const verify: Verify = async (token, audiences) => {
      this.asked.push({ token, audiences });
      if (token.startsWith('slow.')) await this.released;
      if (token === 'outage')
        throw new VerifierUnavailableError('API server is unreachable', { retryAfterMs: 2500 });
      const [name = '', audience = ''] = token.split('.');
      if (clock.wallMs() >= expiresAtMs) throw new InvalidTokenError('EXPIRED', '"exp" is in the past');
      if (!audiences.includes(audience))
        throw new InvalidTokenError('AUDIENCE', 'token has another audience');
      const principal = createPrincipal({
        namespace: 'shop',
        serviceAccount: name,
        serviceAccountUid: '6f1c2d1e-0000-4000-8000-000000000001',
        audiences: [audience],
        issuer: 'https://issuer.test',
        expiresAtMs,
        verifiedBy: 'scripted',
      });
      return { principal, validUntilMs: expiresAtMs };
    };
    Object.assign(this, { verify });
  }
}

const createVerifier = (clock: FakeClock) => new AudienceVerifier(clock);

/** @param place where the client puts its token */
export function socketIoConnections(place: 'auth' | 'header'): ConnectionBench {
  return {
    name: 'socket.io',
    async start(gateways, setup = {}) {
      const bench = await startBench(setup, { ...setup, providers: gateways }, { createVerifier });
      return connectable(bench, (url, token) => connectSocketIo(url, place, token));
    },
  };
}

/** Closing it closes the clients too, so that no test leaves one behind. */
function connectable(
  bench: Awaited<ReturnType<typeof startBench>>,
  connectTo: (url: string, token?: string) => Promise<Outcome>,
): RunningConnectionBench {
  const outcomes: Outcome[] = [];
  return {
    ...bench,
    release: () => (bench.verifier as AudienceVerifier).release(),
    async connect(token, path = '') {
      const outcome = await connectTo(`${bench.url}${path}`, token);
      outcomes.push(outcome);
      return outcome;
    },
    async close() {
      for (const outcome of outcomes) if ('client' in outcome) outcome.client.close();
      await bench.close();
    },
  };
}

function connectSocketIo(url: string, place: 'auth' | 'header', token?: string): Promise<Outcome> {
  const credentials =
    place === 'auth' ? { auth: { token } } : { extraHeaders: { authorization: `Bearer ${token}` } };
  const socket = io(url, {
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    ...(token !== undefined && credentials),
  });
  const received: string[] = [];
  socket.onAny((event: string) => void received.push(event));
  const closed = new Promise<void>((resolve) => socket.once('disconnect', () => resolve()));
  return new Promise((resolve) => {
    socket.once('connect', () =>
      resolve({ client: { received, closed, close: () => void socket.disconnect() } }),
    );
    socket.once('connect_error', (error: Error & { data?: unknown }) => {
      socket.disconnect();
      resolve({ refusal: error.data, message: error.message });
    });
  });
}

export const wsConnections: ConnectionBench = {
  name: 'ws',
  async start(gateways, setup = {}) {
    const configure: AppSetup['configure'] = (app) => app.useWebSocketAdapter(new WsAdapter(app));
    const bench = await startBench(setup, { configure, ...setup, providers: gateways }, { createVerifier });
    return connectable(bench, connectWs);
  },
};

export function connectWs(url: string, token?: string): Promise<Outcome> {
  const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const socket = new WebSocket(url.replace('http', 'ws'), { headers });
  const received: string[] = [];
  socket.on('message', (message: Buffer) => {
    received.push((JSON.parse(message.toString()) as { event: string }).event);
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve({ client: { received, closed, close: () => socket.close() } }));
    socket.once('unexpected-response', (_, response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        const { statusCode: status, headers: received } = response;
        try {
          resolve({ refusal: JSON.parse(body), status, headers: received });
        } catch (error) {
          reject(new Error('expected a body in JSON', { cause: error }));
        }
      });
    });
    socket.once('error', reject);
  });
}
