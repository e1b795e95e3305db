import { type Clock } from '../shared/clock.js';
import { VerifierUnavailableError } from '../errors/index.js';
import { type HttpsResponse } from '../shared/https-client.js';
import { type Log } from '../shared/log.js';
import { OncePerMinute } from '../shared/once-per-minute.js';
import { sleep, startDeadline } from '../shared/timers.js';
import { type UnverifiedClaims } from '../shared/unverified-claims.js';
import { type ApiServerConnection } from './api-server.connection.js';
import { OwnCredentialRefusedError } from './own-credential.js';
import { ReloadingHttpsClient } from './reloading-https-client.js';
import {
  isConnectionTrouble,
  isWorthRetrying,
  MAX_TRIES,
  readRetryAfterMs,
  waitMsBefore,
} from './retry-policy.js';
import { within } from '../shared/within.js';

const DEFAULT_TIMEOUT_MS = 5_000;
// Many times what a review or a key set takes.
const DEFAULT_MAX_BYTES = 256 * 1024;

export interface ApiServerRequest {
  readonly method: 'GET' | 'POST';
  /** Begins with a slash; it is put behind the connection's URL. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: string;
  /** @default 'application/json' */
  readonly accept?: string;
  /** A longer body is a failure. @default 262144 */
  readonly maxBytes?: number;
  /** For everything: reading the own token, all tries, the waits between them, the body. @default 5000 */
  readonly timeoutMs?: number;
  /** Whether trouble that passes is tried again within the time. @default true */
  readonly retry?: boolean;
}

export interface ApiServerClientContext {
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1, for the jitter of retries. @default Math.random */
  readonly random?: () => number;
}

/** Trouble that may pass: the one thing that is tried again. */
class PassingTrouble extends Error {
  constructor(
    message: string,
    readonly options: { cause?: unknown; retryAfterMs?: number },
  ) {
    super(message, options);
  }
}

/**
 * Calls one API server as ourselves. Input: path and body; output: what the API server answered. Used for
 * TokenReviews, self checks, and the discovery documents. Refuses to follow redirects, to call without a credential,
 * and to wait beyond the deadline. Every failure is a {@link VerifierUnavailableError}: none says anything about the
 * token that is being verified.
 * @internal
 */
export class ApiServerClient {
  private readonly https: ReloadingHttpsClient;
  private readonly random: () => number;
  private readonly onceAMinute: OncePerMinute;

  constructor(
    private readonly connection: ApiServerConnection,
    private readonly context: ApiServerClientContext,
  ) {
    this.https = new ReloadingHttpsClient({ ...connection, of: 'the API server' }, context);
    this.random = context.random ?? Math.random;
    this.onceAMinute = new OncePerMinute(context.clock);
  }

  /**
   * What our own token says of itself; `undefined` when it is no JWT or a client certificate says who we are.
   * @throws {VerifierUnavailableError} it cannot be read now, or a plugin does not give it in time
   */
  async ownClaims(): Promise<UnverifiedClaims | undefined> {
    const { credential } = this.connection;
    if (!credential) return undefined;
    return this.inTime(DEFAULT_TIMEOUT_MS, 'own credential was not there', (signal) =>
      within(signal, credential.claims()),
    );
  }

  /**
   * @returns any answer but those that are trouble: 3xx, 401 (our own credential), 429, 500, 503, 504
   * @throws {VerifierUnavailableError} trouble, of whatever kind
   */
  async request(call: ApiServerRequest): Promise<HttpsResponse> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = call;
    return this.inTime(timeoutMs, 'no answer of the API server', (signal) =>
      this.tryUntilAnswered({ ...call, timeoutMs }, signal),
    );
  }

  /** Cuts requests under way. */
  close(): Promise<void> {
    return this.https.close();
  }

  /** @param lack what it means that the time is over */
  private async inTime<Value>(
    timeoutMs: number,
    lack: string,
    task: (signal: AbortSignal) => Promise<Value>,
  ): Promise<Value> {
    const deadline = startDeadline(this.context.clock, timeoutMs);
    try {
      return await task(deadline.signal);
    } catch (error) {
      throw deadline.signal.aborted
        ? new VerifierUnavailableError(`${lack} within ${timeoutMs} ms`, { cause: error })
        : unavailable(error);
    } finally {
      deadline.cancel();
    }
  }

  private async tryUntilAnswered(
    call: ApiServerRequest & { readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<HttpsResponse> {
    const { clock } = this.context;
    const endMs = clock.monotonicMs() + call.timeoutMs;
    for (let tries = 1; ; tries++) {
      try {
        return await this.callAsOurselves(call, signal);
      } catch (error) {
        if (!(error instanceof PassingTrouble) || call.retry === false || tries === MAX_TRIES) throw error;
        const waitMs = waitMsBefore(tries + 1, error.options.retryAfterMs, this.random);
        // Nobody is helped by waiting for a try that the deadline would not let begin.
        if (clock.monotonicMs() + waitMs >= endMs) throw error;
        await sleep(clock, waitMs, signal);
      }
    }
  }

  private async callAsOurselves(call: ApiServerRequest, signal: AbortSignal): Promise<HttpsResponse> {
    const { credential } = this.connection;
    const token = credential && (await within(signal, credential.token()));
    const response = await this.send(call, token, signal);
    if (response.status !== 401) return response;
    // Rotated under us, or deleted: the file may hold its successor already.
    const isRenewed = credential && (await within(signal, credential.renew(token)));
    const second = isRenewed
      ? await this.send(call, await within(signal, credential.token()), signal)
      : response;
    if (second.status === 401) throw this.ownCredentialRefused();
    return second;
  }

  private async send(
    { method, path, body, accept = 'application/json', maxBytes = DEFAULT_MAX_BYTES }: ApiServerRequest,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<HttpsResponse> {
    if (!path.startsWith('/')) throw new Error('path of an API server request does not begin with a slash');
    const headers = {
      accept,
      'accept-encoding': 'identity',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    const url = this.connection.url + path;
    const response = await this.https
      .request({ method, url, headers, ...(body !== undefined && { body }), signal, maxBytes })
      .catch((cause: unknown) => {
        if (signal.aborted || !isConnectionTrouble(cause)) throw cause;
        throw new PassingTrouble('connection to the API server failed', { cause });
      });
    return this.refuseTrouble(response);
  }

  private ownCredentialRefused(): VerifierUnavailableError {
    const error = new OwnCredentialRefusedError('API server refuses our own credential (401)');
    const { message, code } = error;
    this.onceAMinute.run('own credential', () => this.context.log.error({ message, code }));
    return error;
  }

  private refuseTrouble(response: HttpsResponse): HttpsResponse {
    const { status, headers } = response;
    if (status >= 300 && status < 400) {
      throw new VerifierUnavailableError(`API server answered with a redirect (${status})`);
    }
    if (!isWorthRetrying(status)) return response;
    const retryAfterMs = readRetryAfterMs(headers['retry-after'], this.context.clock.wallMs());
    throw new PassingTrouble(`API server answered ${status}`, {
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  }
}

function unavailable(error: unknown): VerifierUnavailableError {
  if (error instanceof VerifierUnavailableError) return error;
  if (error instanceof PassingTrouble) return new VerifierUnavailableError(error.message, error.options);
  return new VerifierUnavailableError('no usable answer of the API server', { cause: error });
}
