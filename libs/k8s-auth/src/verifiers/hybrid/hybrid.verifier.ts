import { InvalidTokenError } from '../../errors.js';
import { type Principal } from '../../identity/principal.js';
import { parseCompactJws } from '../../jwt/compact-jws.js';
import { audiencesOf } from '../../jwt/jwt-claims.js';
import { type JwtVerifier } from '../jwt.verifier.js';
import { type Reviewer } from '../reviews/reviewer.js';
import { type Verify } from '../verifier.js';
import { type CallerConnection } from '../../api-server/fair-queue.js';
import { type RevocationChecks } from './revocation-checks.js';

export interface HybridVerifierContext {
  readonly local: Pick<JwtVerifier, 'verify'>;
  readonly reviewer: Pick<Reviewer, 'review'>;
  readonly checks: Pick<RevocationChecks, 'check'>;
}

/**
 * Verifies the signature of every token locally, and asks the API server periodically whether the token was revoked. A
 * token that is rejected locally is never reviewed. The principal comes from the signed claims; the answer of the API
 * server can only reject the token.
 * @internal
 */
export class HybridVerifier {
  constructor(private readonly context: HybridVerifierContext) {}

  readonly verify: Verify = async (token, audiences, connection) => {
    const { local, checks } = this.context;
    const verdict = await local.verify(token, audiences);
    const ask = (callers?: CallerConnection) => this.askAbout(token, verdict.principal, callers);
    await checks.check(token, verdict.validUntilMs, ask, connection);
    return verdict;
  };

  /**
   * Reviews the token with all of its audiences, not only with those of the route, so that one answer can be used for all
   * routes.
   * @throws {InvalidTokenError} the API server rejects the token, or returns another ServiceAccount
   */
  private async askAbout(
    token: string,
    { namespace, serviceAccount, serviceAccountUid, issuer }: Principal,
    connection: CallerConnection | undefined,
  ): Promise<void> {
    const audiences = audiencesOf(parseCompactJws(token).unverifiedClaims) ?? [];
    // The signature has been verified, so the token is not forged.
    const call = { rank: 'proven', connection } as const;
    const facts = await this.context.reviewer.review(token, audiences, { issuer }, call);
    const isSame =
      facts.namespace === namespace &&
      facts.serviceAccount === serviceAccount &&
      facts.serviceAccountUid === serviceAccountUid;
    if (isSame) return;
    throw new InvalidTokenError(
      'REJECTED',
      '"status.user": expected the ServiceAccount that the token names',
    );
  }
}
