import { createPrincipal } from '../../identity/principal.js';
import { parseCompactJws, type UnverifiedJws } from '../../jwt/compact-jws.js';
import { expired } from '../../jwt/jwt-claims.js';
import { type Clock } from '../../util/clock.js';
import { type Reviewer } from '../reviews/reviewer.js';
import { checkBeforeReview, type UnverifiedToken } from '../reviews/review.js';
import { type Verdict, type Verify } from '../verifier.js';
import { type CallerConnection } from '../../api-server/fair-queue.js';
import { type ApiServerClient } from '../../api-server/api-server.client.js';
import { type Rank } from '../../api-server/fair-queue.js';
import { isKeyAlgorithm } from '../../jwt/verification-key.js';
import { MAX_KEYS_TRIED, verifySignature } from '../../jwt/signature.js';
import { ownReader } from '../../keys/api-server.key-source.js';
import { JwksUriKeySource } from '../../keys/issuer.key-source.js';
import { API_SERVER_JWKS_PATH } from '../../keys/jwks.js';
import { PUBLISHED_KEYS, RefreshedKeys } from '../../keys/refreshed-keys.js';
import { type Log } from '../../util/log.js';
import { type Readiness } from '../../util/readiness.js';

export interface TokenReviewVerifierContext {
  readonly reviewer: Pick<Reviewer, 'review'>;
  /** Omitted: every token is reviewed without a look at its signature. */
  readonly filter?: Pick<SignatureFilter, 'rank'> | undefined;
  readonly clock: Clock;
  /** How long the verdict on a token without `exp` may be kept, milliseconds. */
  readonly successLifetimeMs: number;
}

/**
 * Asks the API server whose token it is. A cheap check comes first and throws synchronously; a token that passes it is
 * reviewed, each time: remembering is the business of the cache in front.
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
    // The API server allows for a minute of clock skew, and its answer may have taken seconds.
    if (facts.expiresAtMs !== undefined && validUntilMs <= nowMs) throw expired(validUntilMs, nowMs);
    return { principal: createPrincipal(facts), validUntilMs };
  }
}

/**
 * Looks at signatures before tokens are reviewed, with the keys that the API server publishes: so forged tokens cost the
 * API server nothing, and cannot make genuine callers wait.
 *
 * It only saves work. It never accepts a token, never waits for keys, and never makes a token fail because keys cannot
 * be read: then every token is reviewed, as without it. Every ServiceAccount may read the keys (ClusterRole
 * `system:service-account-issuer-discovery`), so it needs no right of its own.
 * @internal
 */
export class SignatureFilter {
  private readonly keys: RefreshedKeys;

  constructor(client: ApiServerClient, { clock, log }: { readonly clock: Clock; readonly log: Log }) {
    const read = ownReader(client, (path) => path);
    const source = new JwksUriKeySource(API_SERVER_JWKS_PATH, () => Promise.resolve([]), read);
    // Never an error: the service works without.
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
   * @returns `proven` by a key of the cluster; `doubtful` if none of them proves the signature; `unknown` without keys
   * @throws {InvalidTokenError} SIGNATURE: the token names one of the cluster's keys, which disproves it
   */
  async rank(jws: UnverifiedJws): Promise<Rank> {
    const { alg, kid } = jws.unverifiedHeader;
    const otherwise = this.keys.readiness().status === 'not-ready' ? 'unknown' : 'doubtful';
    if (!isKeyAlgorithm(alg)) return otherwise;
    const candidates = this.keys.find(jws.unverifiedHeader);
    if (candidates instanceof Promise) {
      // The fetch that an unknown key starts is for the tokens after this one.
      candidates.catch(() => {});
      return otherwise;
    }
    // A `kid` names a key. Without one, a key that we have not read yet may be the right one.
    const isConclusive = kid !== undefined && candidates.length <= MAX_KEYS_TRIED;
    return verifySignature(jws, candidates).then(
      () => 'proven',
      (error: unknown) => {
        if (isConclusive) throw error;
        return otherwise;
      },
    );
  }

  /** Whether signatures are looked at now, for the readiness. */
  describe(): string {
    const { status, reason }: Readiness = this.keys.readiness();
    return status === 'not-ready'
      ? `${EVERY_TOKEN_IS_REVIEWED} (${reason ?? ''})`
      : FORGED_TOKENS_ARE_REFUSED;
  }
}

const EVERY_TOKEN_IS_REVIEWED = 'tokens are reviewed without a look at their signature';

const FORGED_TOKENS_ARE_REFUSED = 'forged tokens are refused before a review';
