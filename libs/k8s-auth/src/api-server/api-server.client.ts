import { type Clock } from '../util/clock.js';
import { VerifierUnavailableError } from '../errors.js';
import { HttpsClient, type HttpsResponse } from '../http/https-client.js';
import { type Log, OncePerMinute } from '../util/log.js';
import { type Deadline, startDeadline } from '../util/timers.js';
import { audiencesNamedBy, type UnverifiedClaims } from '../jwt/jwt-claims.js';
import { type ApiServerConnection } from './api-server.connection.js';
import {
  failureWithoutAnswer,
  isSignOfLife,
  isWorthRetrying,
  MAX_TRIES,
  OutageError,
  PassingFailure,
  Pause,
  readRetryAfterMs,
  unavailable,
} from './retry-policy.js';
import { OwnCredentialRefusedError, readInTime } from './own-credential.js';

// For the own credential, where nobody waits for a verdict.
const CREDENTIAL_TIMEOUT_MS = 5_000;
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
  /** For everything: reading the own credential, connecting, all tries, the waits between them, the body. */
  readonly deadline: Deadline;
  /** Whether a failure that may pass is tried again within the deadline. @default true */
  readonly retry?: boolean;
  /** Called when the API server has given an answer that shows that it works. */
  readonly onAnswer?: () => void;
}

export interface ApiServerClientContext {
  readonly clock: Clock;
  readonly log: Log;
  /** From 0 to 1, for the jitter of retries. @default Math.random */
  readonly random?: () => number;
}

/**
 * Calls one API server as ourselves. Input: path and body; output: what the API server answered. Used for
 * TokenReviews, self checks, and the discovery documents. Refuses to follow redirects, to call without a credential,
 * to wait beyond the deadline, and to send anything while the API server has asked for a pause (`Retry-After`). Every
 * failure is a {@link VerifierUnavailableError}: none says anything about the token that is being verified.
 * @internal
 */
export class ApiServerClient {
  // Private to the language: `inspect` and JSON of this object show no credential.
  readonly #connection: ApiServerConnection;
  readonly #https: HttpsClient;
  private readonly pause: Pause;
  private readonly random: () => number;
  private readonly onceAMinute: OncePerMinute;

  constructor(
    connection: ApiServerConnection,
    private readonly context: ApiServerClientContext,
  ) {
    this.#connection = connection;
    this.#https = new HttpsClient(
      { ...connection, of: 'the API server', caOption: 'apiServer.caFile' },
      context,
    );
    this.pause = new Pause(context.clock);
    this.random = context.random ?? Math.random;
    this.onceAMinute = new OncePerMinute(context.clock);
  }

  /**
   * What our own token says of itself; `undefined` when it is no JWT or a client certificate says who we are.
   * @throws {VerifierUnavailableError} it cannot be read now, or a plugin does not give it in time
   */
  async ownClaims(): Promise<UnverifiedClaims | undefined> {
    const { credential } = this.#connection;
    if (!credential) return undefined;
    const deadline = startDeadline(this.context.clock, CREDENTIAL_TIMEOUT_MS);
    try {
      return await readInTime(deadline, credential.claims());
    } finally {
      deadline.cancel();
    }
  }

  /**
   * What our own API token is issued for: the API server issued it for itself. None when the credential is not a token:
   * then nothing tells, now or later.
   * @returns `undefined` while the credential cannot be read. Never rejects.
   */
  async ownAudiences(): Promise<readonly string[] | undefined> {
    try {
      return audiencesNamedBy((await this.ownClaims()) ?? {});
    } catch {
      return undefined;
    }
  }

  /**
   * @returns any answer but those that are failures: 3xx, 401 (our own credential), 429, 500, 503, 504
   * @throws {OutageError} the API server did not answer, or with 429, 500, 503 or 504
   * @throws {VerifierUnavailableError} any other failure
   */
  async request(call: ApiServerRequest): Promise<HttpsResponse> {
    this.assertNoPause();
    for (let tries = 1; ; tries++) {
      try {
        return await this.callAsOurselves(call);
      } catch (error) {
        if (!(error instanceof PassingFailure)) throw unavailable(error);
        const mayRetry = call.retry !== false && tries < MAX_TRIES;
        if (!mayRetry || !(await this.pause.waitBefore(tries + 1, call.deadline, this.random)))
          throw error.unavailable;
      }
    }
  }

  /** @throws {VerifierUnavailableError} the API server has asked for a pause that is not over */
  assertNoPause(): void {
    const retryAfterMs = this.pause.remainingMs();
    if (retryAfterMs === 0) return;
    throw new VerifierUnavailableError('API server has asked for a pause (Retry-After)', { retryAfterMs });
  }

  /** Cuts requests under way. */
  close(): Promise<void> {
    this.#connection.credential?.close?.();
    return this.#https.close();
  }

  private async callAsOurselves(call: ApiServerRequest): Promise<HttpsResponse> {
    const { credential } = this.#connection;
    const { deadline } = call;
    const token = credential && (await readInTime(deadline, credential.token()));
    const sent = { token, certificate: credential?.clientCertificate?.() };
    const tls = this.#https.tlsSettings;
    const response = await this.send(call, token);
    if (response.status !== 401) return response;
    // Rotated under us: the file may hold its successor already. Until that is read, the 401 is of no use as an answer.
    const isRenewed =
      (credential && (await readInTime(deadline, credential.renew(sent)))) ||
      (await readInTime(deadline, this.#https.renewCertificate(tls, deadline.signal)));
    call.onAnswer?.();
    const second = isRenewed
      ? await this.send(call, credential && (await readInTime(deadline, credential.token())))
      : response;
    if (second.status === 401) throw this.ownCredentialRefused();
    return second;
  }

  private async send(call: ApiServerRequest, token: string | undefined): Promise<HttpsResponse> {
    const { method, path, body, accept = 'application/json', maxBytes = DEFAULT_MAX_BYTES, deadline } = call;
    if (!path.startsWith('/')) throw new Error('path of an API server request does not begin with a slash');
    const headers = {
      accept,
      'accept-encoding': 'identity',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    const url = this.#connection.url + path;
    const response = await this.#https
      .request({ method, url, headers, ...(body !== undefined && { body }), deadline, maxBytes })
      .catch((error: unknown) => {
        throw failureWithoutAnswer(error, deadline);
      });
    if (isSignOfLife(response.status) && response.status !== 401) call.onAnswer?.();
    return this.refuseFailures(response);
  }

  private ownCredentialRefused(): VerifierUnavailableError {
    const error = new OwnCredentialRefusedError('API server refuses our own credential (401)');
    const { message, code } = error;
    this.onceAMinute.run('own credential', () => this.context.log.error({ message, code }));
    return error;
  }

  private refuseFailures(response: HttpsResponse): HttpsResponse {
    const { status, headers } = response;
    if (status >= 300 && status < 400) {
      throw new VerifierUnavailableError(`API server answered with a redirect (${status})`);
    }
    if (!isWorthRetrying(status)) return response;
    const retryAfterMs = readRetryAfterMs(headers['retry-after'], this.context.clock.wallMs());
    if (retryAfterMs !== undefined) this.pause.extend(retryAfterMs);
    throw new PassingFailure(
      new OutageError(`API server answered ${status}`, {
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      }),
    );
  }
}
