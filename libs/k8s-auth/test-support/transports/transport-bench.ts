import { type INestApplication } from '@nestjs/common';
import { InvalidTokenError, VerifierUnavailableError } from '../../src/errors.js';
import { createPrincipal } from '../../src/identity/principal.js';
import { type FakeClock } from '../../testing/fake-clock.js';
import { type CapturedLog } from '../captured-log.js';
import { ScriptedVerifier } from '../scripted-verifier.js';

/** The handlers that each bench has, on its transport. */
export type HandlerName =
  /** `@K8sAuth('orders')`: answers with the name of the caller, as parameters and interceptors see it. */
  | 'whoami'
  /** `@K8sAuth('orders', allowServiceAccounts('shop/admin'))`. */
  | 'admin'
  /** `@Public()`: answers `nobody`. */
  | 'open'
  /** No decorator. */
  | 'plain'
  /** `@K8sAuth('orders')`: answers with every credential that the handler can find. */
  | 'leak';

/** What a caller received: the answer of the handler, or a refusal in the form of the transport. */
export type Answer =
  | { readonly data: string }
  | {
      readonly code: string;
      /** What the caller can read. */
      readonly body: unknown;
      readonly retryAfterSeconds?: number | undefined;
    };

export interface BenchSetup {
  /** `K8sAuthGuard` is the `APP_GUARD`. @default true */
  readonly guardIsGlobal?: boolean;
  readonly longLivedConnections?: 'close-at-expiry' | 'stay-open';
  /** Only for microservices. @default false, as in Nest */
  readonly inheritAppConfig?: boolean;
}

export interface RunningBench {
  readonly app: INestApplication;
  readonly clock: FakeClock;
  readonly log: CapturedLog;
  readonly verifier: ScriptedVerifier;
  /** One message. @param credentials values of `Authorization`, or of what takes its place */
  readonly call: (handler: HandlerName, ...credentials: string[]) => Promise<Answer>;
  /** A long-lived connection: several messages with the same credentials. */
  readonly connect?: (...credentials: string[]) => Promise<BenchConnection>;
  readonly close: () => Promise<void>;
}

export interface BenchConnection {
  readonly call: (handler: HandlerName) => Promise<Answer>;
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<void>;
  close(): void;
}

export interface TransportBench {
  readonly name: string;
  /** A second `Authorization` cannot be sent. */
  readonly sendsOneCredential?: boolean;
  start(setup?: BenchSetup): Promise<RunningBench>;
}

/** The lifetime of the tokens of {@link tokenVerifier}. */
export const TOKEN_LIFETIME_MS = 60_000;

/** Accepts `checkout` and `admin` until they expire. `outage` cannot be verified, and every other token is rejected. */
export function tokenVerifier(clock: FakeClock): ScriptedVerifier {
  const expiresAtMs = clock.wallMs() + TOKEN_LIFETIME_MS;
  return new ScriptedVerifier((token) => {
    if (token === 'outage')
      throw new VerifierUnavailableError('API server is unreachable', { retryAfterMs: 2500 });
    if (token !== 'checkout' && token !== 'admin') throw new InvalidTokenError('SIGNATURE', 'unknown token');
    if (clock.wallMs() >= expiresAtMs) throw new InvalidTokenError('EXPIRED', '"exp" is in the past');
    const principal = createPrincipal({
      namespace: 'shop',
      serviceAccount: token,
      serviceAccountUid: '6f1c2d1e-0000-4000-8000-000000000001',
      audiences: ['orders'],
      issuer: 'https://issuer.test',
      expiresAtMs,
      verifiedBy: 'scripted',
    });
    return Promise.resolve({ principal, validUntilMs: expiresAtMs });
  });
}
