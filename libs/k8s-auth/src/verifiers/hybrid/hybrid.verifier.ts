import { InvalidTokenError } from '../../errors.js';
import { parseCompactJws } from '../../jwt/compact-jws.js';
import { audiencesOf } from '../../jwt/jwt-claims.js';
import { type Reviewer } from '../reviews/reviewer.js';
import { type Clock } from '../../util/clock.js';
import { VerdictCache } from '../verdict-cache.js';
import { type Verdict, type VerifierStatistics, type Verify } from '../verifier.js';
import { type CallerConnection } from '../../api-server/fair-queue.js';
import { type RevocationChecks } from './revocation-checks.js';

export interface HybridVerifierContext {
  /** Verifies the signature and the claims. */
  readonly verifyLocally: Verify;
  readonly checks: RevocationChecks;
  readonly clock: Clock;
}

/**
 * Verifies the signature of every token locally, and asks the API server periodically whether the token was revoked. A
 * token that is rejected locally is never reviewed. The principal comes from the signed claims; the answer of the API
 * server can only reject the token.
 * @internal
 */
export class HybridVerifier {
  readonly verify: Verify;
  /** Verdicts of {@link HybridVerifierContext.verifyLocally}, until the tokens expire. */
  readonly #local: VerdictCache;
  /** The same verdicts, each until the next review of its token starts: they need no check. */
  readonly #unchecked: VerdictCache;
  readonly #checks: RevocationChecks;

  constructor({ verifyLocally, checks, clock }: HybridVerifierContext) {
    const verifyAndCheck: Verify = (token, audiences, connection) => {
      const verdict = this.#local.verify(token, audiences);
      return verdict instanceof Promise
        ? verdict.then((late) => this.#check(token, late, connection))
        : this.#check(token, verdict, connection);
    };
    this.#checks = checks;
    this.#local = new VerdictCache(verifyLocally, { clock });
    this.#unchecked = new VerdictCache(verifyAndCheck, {
      clock,
      limitOf: (token) => checks.uncheckedUse(token),
    });
    this.verify = this.#unchecked.verify;
  }

  /** A local verdict in memory is a hit as well, although it must be checked. */
  get counts(): Pick<VerifierStatistics, 'cacheHits' | 'cacheMisses'> {
    const { counts: local } = this.#local;
    const { cacheHits, cacheMisses } = this.#unchecked.counts;
    return { cacheHits: cacheHits + local.cacheHits, cacheMisses: cacheMisses - local.cacheHits };
  }

  close(): void {
    this.#checks.close();
    this.#unchecked.clear();
    this.#local.clear();
  }

  #check(
    token: string,
    verdict: Verdict,
    connection: CallerConnection | undefined,
  ): Verdict | Promise<Verdict> {
    const waiting = this.#checks.check(token, verdict, connection);
    return waiting ? waiting.then(() => verdict) : verdict;
  }
}

/**
 * Reviews a token with all of its audiences, not only with those of the route, so that one answer can be used for all
 * routes.
 * @throws {InvalidTokenError} the API server rejects the token, or returns another ServiceAccount
 * @internal
 */
export async function askAboutToken(
  reviewer: Pick<Reviewer, 'review'>,
  token: string,
  { principal }: Verdict,
  connection: CallerConnection | undefined,
): Promise<void> {
  const { namespace, serviceAccount, serviceAccountUid, issuer } = principal;
  const audiences = audiencesOf(parseCompactJws(token).unverifiedClaims) ?? [];
  // The signature has been verified, so the token is not forged.
  const call = { rank: 'proven', connection } as const;
  const facts = await reviewer.review(token, audiences, { issuer }, call);
  const isSame =
    facts.namespace === namespace &&
    facts.serviceAccount === serviceAccount &&
    facts.serviceAccountUid === serviceAccountUid;
  if (isSame) return;
  throw new InvalidTokenError('REJECTED', '"status.user": expected the ServiceAccount that the token names');
}
