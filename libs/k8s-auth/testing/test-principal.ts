import { createPrincipal, type Principal, type PrincipalFacts } from '../src/identity/principal.js';
import { didYouMean } from '../src/util/did-you-mean.js';

const FIELDS: Readonly<Record<keyof PrincipalFacts, true>> = {
  ...{ username: true, namespace: true, serviceAccount: true, serviceAccountUid: true, groups: true },
  ...{ pod: true, node: true, credentialId: true },
  ...{ audiences: true, issuer: true, issuedAtMs: true, expiresAtMs: true, verifiedBy: true },
};

/**
 * A principal as a verifier would give it, for unit tests of controllers and rules that need no token.
 * @param facts the fields that matter to the test; the other fields describe `default` in namespace `default`
 * @throws {TypeError} `facts` has a field with an unknown name
 * @publicApi
 */
export function createTestPrincipal(facts: Partial<PrincipalFacts> = {}): Principal {
  const unknown = Object.keys(facts).find((name) => !Object.hasOwn(FIELDS, name));
  if (unknown !== undefined) {
    const hint = didYouMean(unknown, Object.keys(FIELDS));
    throw new TypeError(`createTestPrincipal: there is no field '${unknown}'.${hint}`);
  }
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
