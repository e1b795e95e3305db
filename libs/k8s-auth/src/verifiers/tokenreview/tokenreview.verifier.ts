import { InvalidTokenError } from '../../errors.js';
import { createPrincipal } from '../../identity/principal.js';
import { parseCompactJws, type UnverifiedJws } from '../../jwt/compact-jws.js';
import { expired } from '../../jwt/claim-errors.js';
import { type Clock } from '../../util/clock.js';
import { type Reviewer } from '../reviews/reviewer.js';
import { checkBeforeReview, type UnverifiedToken } from '../reviews/review.js';
import { type Verdict, type Verify } from '../verifier.js';
import { type ApiServerClient } from '../../api-server/api-server.client.js';
import { type CallerConnection, type Rank } from '../../api-server/fair-queue.js';
import { isKeyAlgorithm } from '../../jwt/verification-key.js';
import { MAX_KEYS_TRIED, verifySignature } from '../../jwt/signature.js';
import { ownReader } from '../../keys/api-server.key-source.js';
import { JwksUriKeySource } from '../../keys/issuer.key-source.js';
import { API_SERVER_JWKS_PATH } from '../../keys/key-source.js';
import { PUBLISHED_KEYS, RefreshedKeys } from '../../keys/refreshed-keys.js';
import { type Log } from '../../util/log.js';
import { type Readiness } from '../../util/readiness.js';

export interface TokenReviewVerifierContext {
  readonly reviewer: Pick<Reviewer, 'review'>;
  /** Omitted: signatures are not checked before a review. */
  readonly filter?: Pick<SignatureFilter, 'rank'> | undefined;
  readonly clock: Clock;
  /** How long the verdict on a token without `exp` may be kept, milliseconds. */
  readonly successLifetimeMs: number;
}

/**
 * Asks the API server to review each token. A cheap check comes first and throws synchronously. Verdicts are not cached
 * here: a {@link VerdictCache} wraps this verifier.
 * @internal
 */
export class TokenReviewVerifier {
  constructor(private readonly context: TokenReviewVerifierContext) {}

  readonly verify: Verify = (token, audiences, connection) => {
    const jws = parseCompactJws(token);
    const unverified = checkBeforeReview(jws, audiences, this.context.clock.wallMs());
    return this.review(jws, audiences, unverified, connection);
  };

  private async review(
    jws: UnverifiedJws,
    audiences: readonly string[],
    unverified: UnverifiedToken,
    connection: CallerConnection | undefined,
  ): Promise<Verdict> {
    const { reviewer, filter, clock, successLifetimeMs } = this.context;
    const rank = (await filter?.rank(jws)) ?? 'unknown';
    const facts = await reviewer.review(jws.token, audiences, unverified, { rank, connection });
    const nowMs = clock.wallMs();
    const validUntilMs = facts.expiresAtMs ?? nowMs + successLifetimeMs;
    // The API server has a clock tolerance of 60 s, and its answer may have taken seconds.
    if (facts.expiresAtMs !== undefined && validUntilMs <= nowMs) throw expired(validUntilMs, nowMs);
    return { principal: createPrincipal(facts), validUntilMs };
  }
}

/**
 * Checks signatures before tokens are reviewed, with the keys that the API server publishes. Forged tokens therefore cause
 * no reviews, and genuine callers do not wait for them.
 *
 * The filter only saves work. It never accepts a token and never waits for keys. If the keys cannot be read, every token
 * is reviewed, as without the filter. Every ServiceAccount may read the keys (ClusterRole
 * `system:service-account-issuer-discovery`), so the filter needs no additional right.
 * @internal
 */
export class SignatureFilter {
  private readonly keys: RefreshedKeys;

  constructor(client: ApiServerClient, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
    const read = ownReader(client, (path) => path);
    const source = new JwksUriKeySource(API_SERVER_JWKS_PATH, () => Promise.resolve([]), read);
    // Logged as a warning, never as an error, because the service works without the keys.
    const explained: Log = {
      log: (event) => log.log(event),
      warn: (event) => log.warn({ ...event, message: `${event.message}; ${EVERY_TOKEN_IS_REVIEWED}` }),
      error: (event) => log.warn({ ...event, message: `${event.message}; ${EVERY_TOKEN_IS_REVIEWED}` }),
    };
    // Nobody waits for these keys, and the right to read them may be missing for good.
    const policy = { ...PUBLISHED_KEYS, cooldownWithoutValueMs: PUBLISHED_KEYS.cooldownMs };
    this.keys = new RefreshedKeys(source, { policy, clock, log: explained });
  }

  start(): void {
    this.keys.start();
  }

  stop(): void {
    this.keys.stop();
  }

  /**
   * @returns `proven` if the signature is valid for a key of the cluster, `doubtful` if it is valid for none, `unknown`
   *   while there are no keys
   * @throws {InvalidTokenError} SIGNATURE: the token names a key of the cluster, and the signature is not valid for it
   */
  async rank(jws: UnverifiedJws): Promise<Rank> {
    const { alg, kid } = jws.unverifiedHeader;
    const candidates = isKeyAlgorithm(alg) ? this.keys.findNow(jws.unverifiedHeader) : [];
    if (candidates.length === 0) return this.rankWithoutProof();
    // Without a `kid`, the token may be signed by a key that has not been read yet.
    const isConclusive = kid !== undefined && candidates.length <= MAX_KEYS_TRIED;
    try {
      await verifySignature(jws, candidates);
      return 'proven';
    } catch (error) {
      // Overload included: then the token is reviewed without a check of its signature.
      if (isConclusive && error instanceof InvalidTokenError) throw error;
      return this.rankWithoutProof();
    }
  }

  private rankWithoutProof(): Rank {
    return this.keys.isReady ? 'doubtful' : 'unknown';
  }

  /** Whether signatures are checked now, as a note for the readiness. */
  describe(): string {
    const { status, reason }: Readiness = this.keys.readiness();
    return status === 'not-ready'
      ? `${EVERY_TOKEN_IS_REVIEWED} (${reason ?? ''})`
      : FORGED_TOKENS_ARE_REJECTED;
  }
}

const EVERY_TOKEN_IS_REVIEWED = 'tokens are reviewed without a check of their signature';

const FORGED_TOKENS_ARE_REJECTED = 'forged tokens are rejected before a review';
