import { createPrincipal, type Principal, type PrincipalFacts } from '../src/identity/principal.js';

/**
 * A principal as a verifier would give it, for unit tests of controllers and rules that need no token.
 * @param facts the fields that matter to the test; the other fields describe `default` in namespace `default`
 * @publicApi
 */
export function createTestPrincipal(facts: Partial<PrincipalFacts> = {}): Principal {
  return createPrincipal({
    namespace: 'default',
    serviceAccount: 'default',
    serviceAccountUid: '00000000-0000-4000-8000-000000000000',
    audiences: [],
    issuer: 'https://kubernetes.default.svc.cluster.local',
    verifiedBy: 'test',
    ...facts,
  });
}
