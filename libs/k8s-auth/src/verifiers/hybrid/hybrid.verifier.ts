import { InvalidTokenError } from '../../errors.js';
import { parseCompactJws } from '../../jwt/compact-jws.js';
import { audiencesOf } from '../../jwt/jwt-claims.js';
import { type Reviewer } from '../reviews/reviewer.js';
import { type Verdict, type Verify } from '../verifier.js';
import { type CallerConnection } from '../../api-server/fair-queue.js';
import { type RevocationChecks } from './revocation-checks.js';

export interface HybridVerifierContext {
  /** Verifies the signature and the claims, and caches the verdict. */
  readonly verifyLocally: Verify;
  readonly checks: Pick<RevocationChecks, 'check'>;
}

/**
 * Verifies the signature of every token locally, and asks the API server periodically whether the token was revoked. A
 * token that is rejected locally is never reviewed. The principal comes from the signed claims; the answer of the API
 * server can only reject the token.
 * @internal
 */
export function hybridVerify({ verifyLocally, checks }: HybridVerifierContext): Verify {
  const check = (token: string, verdict: Verdict, connection: CallerConnection | undefined) => {
    const waiting = checks.check(token, verdict, connection);
    return waiting ? waiting.then(() => verdict) : verdict;
  };
  return (token, audiences, connection) => {
    const verdict = verifyLocally(token, audiences);
    return verdict instanceof Promise
      ? verdict.then((late) => check(token, late, connection))
      : check(token, verdict, connection);
  };
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
