import { type Clock } from '../util/clock.js';
import { VerifierUnavailableError } from '../errors.js';
import { HttpsClient, type HttpsResponse } from '../http/https-client.js';
import { type Log, OncePerMinute } from '../util/log.js';
import { startDeadline } from '../util/timers.js';
import { audiencesNamedBy, type UnverifiedClaims } from '../jwt/jwt-claims.js';
import { type ApiServerConnection } from './api-server.connection.js';
import { type ApiServerRequest } from './api-server.request.js';
import {
  classifyRequestError,
  isHealthyStatus,
  isRetryableStatus,
  MAX_TRIES,
  OutageError,
  TransientFailure,
  Pause,
  readRetryAfterMs,
  toVerifierUnavailable,
} from './retry-policy.js';
import { type OwnApiServer } from './own-api-server.js';
import { OwnCredentialRefusedError, readWithinDeadline } from './own-credential.js';

// For reading our own credential outside of a request, when no caller waits for a verdict.
const CREDENTIAL_TIMEOUT_MS = 5_000;
// Many times the size of a TokenReview or a key set.
const DEFAULT_MAX_BYTES = 256 * 1024;

export interface ApiServerClientContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly ownApiServer?: OwnApiServer;
  /** Returns a number from 0 to 1, for the jitter of retries. @default Math.random */
  readonly random?: () => number;
}

/**
 * Calls one API server with our own credential. Input: path and body; output: the answer of the API server. Used for
 * TokenReviews, self checks, and the discovery documents. Never follows redirects, calls without a credential, waits
 * beyond the deadline, or sends anything while the API server has asked for a pause (`Retry-After`). Every failure is
 * a {@link VerifierUnavailableError}, because a failure proves nothing about the token that is being verified.
 * @internal
 */
export class ApiServerClient {
  // `#` fields, so that `inspect` and JSON of this object never show the credential.
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
   * The claims of our own token; `undefined` if it is not a JWT, or if we authenticate with a client certificate.
   * @throws {VerifierUnavailableError} the token cannot be read now, or a plugin does not return it in time
   */
  async ownClaims(): Promise<UnverifiedClaims | undefined> {
    const { credential } = this.#connection;
    if (!credential) return undefined;
    const deadline = startDeadline(this.context.clock, CREDENTIAL_TIMEOUT_MS);
    try {
      return await readWithinDeadline(deadline, credential.claims());
    } finally {
      deadline.cancel();
    }
  }

  /**
   * The audiences of our own API token: the API server issued it for itself. The list is empty if the credential has
   * no JWT; then the audiences stay unknown.
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
   * @returns any answer except 3xx, 401 (refuses our own credential), 429, 500, 503 and 504, which throw
   * @throws {OutageError} the API server did not answer, or answered with 429, 500, 503 or 504
   * @throws {VerifierUnavailableError} any other failure
   */
  async request(call: ApiServerRequest): Promise<HttpsResponse> {
    this.assertNoPause();
    for (let tries = 1; ; tries++) {
      try {
        return await this.callWithOwnCredential(call);
      } catch (error) {
        if (!(error instanceof TransientFailure)) throw toVerifierUnavailable(error);
        const mayRetry = call.retry !== false && tries < MAX_TRIES;
        if (!mayRetry || !(await this.pause.waitBefore(tries + 1, call.deadline, this.random)))
          throw error.unavailable;
      }
    }
  }

  /** @throws {VerifierUnavailableError} a pause that the API server asked for is not over */
  assertNoPause(): void {
    const retryAfterMs = this.pause.remainingMs();
    if (retryAfterMs === 0) return;
    throw new OutageError('API server has asked for a pause (Retry-After)', { retryAfterMs });
  }

  /** Aborts running requests. */
  close(): Promise<void> {
    this.#connection.credential?.close?.();
    return this.#https.close();
  }

  private async callWithOwnCredential(call: ApiServerRequest): Promise<HttpsResponse> {
    const { credential } = this.#connection;
    const { deadline } = call;
    const token = credential && (await readWithinDeadline(deadline, credential.token()));
    const sent = { token, certificate: credential?.clientCertificate?.() };
    const tls = this.#https.tlsSettings;
    const response = await this.send(call, token);
    if (response.status !== 401) return response;
    // The credential may have been rotated. Its file may already contain the new one, so read it before `onAnswer`.
    const isRenewed =
      (credential && (await readWithinDeadline(deadline, credential.renew(sent)))) ||
      (await readWithinDeadline(deadline, this.#https.renewCertificate(tls, deadline)));
    call.onAnswer?.();
    const second = isRenewed
      ? await this.send(call, credential && (await readWithinDeadline(deadline, credential.token())))
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
    const sentMs = this.context.clock.wallMs();
    const response = await this.#https
      .request({ method, url, headers, ...(body !== undefined && { body }), deadline, maxBytes })
      .catch((error: unknown) => {
        throw classifyRequestError(error, deadline);
      });
    this.context.ownApiServer?.noteAnswer(response.header('date'), sentMs);
    if (isHealthyStatus(response.status) && response.status !== 401) call.onAnswer?.();
    return this.refuseFailures(response);
  }

  private ownCredentialRefused(): VerifierUnavailableError {
    const error = new OwnCredentialRefusedError('API server refuses our own credential (401)');
    const { message, code } = error;
    this.onceAMinute.run('own credential', () => this.context.log.error({ message, code }));
    return error;
  }

  private refuseFailures(response: HttpsResponse): HttpsResponse {
    const { status } = response;
    if (status >= 300 && status < 400) {
      throw new VerifierUnavailableError(`API server answered with a redirect (${status})`);
    }
    if (!isRetryableStatus(status)) return response;
    const retryAfterMs = readRetryAfterMs(response.header('retry-after'), this.context.clock.wallMs());
    if (retryAfterMs !== undefined) this.pause.extend(retryAfterMs);
    throw new TransientFailure(
      new OutageError(`API server answered ${status}`, {
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      }),
    );
  }
}
