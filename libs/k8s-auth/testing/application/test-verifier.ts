import { InvalidTokenError } from '../../src/errors.js';
import { createPrincipal, type Principal } from '../../src/identity/principal.js';
import { type Clock } from '../../src/util/clock.js';
import { type Log } from '../../src/util/log.js';
import { type Verdict, type Verifier } from '../../src/verifiers/verifier.js';
import { meaningOf } from './test-callers.js';

/**
 * Accepts the tokens of `asCaller`, and no other token. It checks audiences and expiry like a real verifier. Needs no
 * keys and no API server.
 * @internal
 */
export class TestVerifier implements Verifier {
  constructor(
    private readonly clock: Clock,
    private readonly log: Log,
  ) {}

  readonly verify = (token: string, audiences: readonly string[]): Verdict => {
    const meaning = meaningOf(token);
    if (!meaning)
      throw new InvalidTokenError('SIGNATURE', 'expected a token of asCaller (nest-k8s-auth/testing)');
    if ('refuse' in meaning) throw meaning.refuse();
    const validUntilMs = meaning.principal.expiresAt?.getTime() ?? Number.MAX_SAFE_INTEGER;
    if (validUntilMs <= this.clock.wallMs()) throw new InvalidTokenError('EXPIRED', '"exp" is in the past');
    return { principal: withMatching(meaning.principal, audiences), validUntilMs };
  };

  /** Logs a warning: nobody should run an application with this verifier outside of a test. */
  start(): void {
    this.log.warn({ message: 'testK8sAuth has replaced the verifier: tokens are not verified' });
  }

  readiness() {
    return { status: 'ready' } as const;
  }

  apiServerAudiences(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }

  async close(): Promise<void> {}
}

/** The principal, with those of the required audiences that its token is issued for. */
function withMatching(principal: Principal, required: readonly string[]): Principal {
  const { audiences, issuedAt, expiresAt, ...facts } = principal;
  const matching = audiences.length === 0 ? required : audiences.filter((one) => required.includes(one));
  if (matching.length === 0) {
    throw new InvalidTokenError(
      'AUDIENCE',
      `"aud" expected ${required.join(' or ')}, got ${audiences.join(', ')}`,
    );
  }
  return createPrincipal({
    ...facts,
    audiences: matching,
    ...(issuedAt && { issuedAtMs: issuedAt.getTime() }),
    ...(expiresAt && { expiresAtMs: expiresAt.getTime() }),
  });
}
