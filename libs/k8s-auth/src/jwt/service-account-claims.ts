import { InvalidTokenError } from '../errors.js';
import { type PrincipalFacts } from '../identity/principal.js';
import { formatUsername, isNamespaceName, isServiceAccountName } from '../identity/names.js';
import { isJsonObject, type JsonObject, member } from './compact-jws.js';
import { type TokenTimes } from './jwt-claims.js';

/** The facts that a ServiceAccount token states about its holder. A new object, to which the caller may add other facts. */
export type ServiceAccountFacts = Pick<
  PrincipalFacts,
  'namespace' | 'serviceAccount' | 'serviceAccountUid' | 'pod' | 'node' | 'credentialId'
>;

/**
 * The `iss` of legacy tokens, which are kept in Secrets (pkg/serviceaccount LegacyIssuer). Bound tokens have it too if
 * the API server runs with this `--service-account-issuer`.
 */
export const LEGACY_ISSUER = 'kubernetes/serviceaccount';

const BOUND = 'kubernetes.io';
const LEGACY_PREFIX = 'kubernetes.io/serviceaccount/';

/**
 * Reads the claims of a bound token (KEP-1205): a `kubernetes.io` object, and a `sub` that names the same ServiceAccount.
 * The API server reads the object and does not check `sub`. Kubernetes does not issue tokens in which they differ, so
 * such a token is rejected.
 * @throws {InvalidTokenError} REJECTED
 * @internal
 */
export function readBoundClaims(claims: JsonObject): ServiceAccountFacts {
  const bound = objectMember(claims, BOUND);
  const serviceAccount = objectMember(bound, 'serviceaccount');
  const pod = reference(bound, 'pod');
  const node = reference(bound, 'node');
  if (pod && pod.uid === undefined) throw rejected('"kubernetes.io" claim: expected a pod with a uid');
  const facts = identity(claims, {
    namespace: member(bound, 'namespace'),
    name: member(serviceAccount, 'name'),
    uid: member(serviceAccount, 'uid'),
  });
  if (pod?.uid !== undefined) facts.pod = { name: pod.name, uid: pod.uid };
  if (node) facts.node = node;
  return facts;
}

/**
 * Kubernetes issues no bound token without `exp`, and each verdict needs an end.
 * @throws {InvalidTokenError} MALFORMED
 * @internal
 */
export function requireExpiry({ expiresAtMs }: TokenTimes): number {
  if (expiresAtMs !== undefined) return expiresAtMs;
  throw new InvalidTokenError('MALFORMED', '"exp" claim: expected a time, got none');
}

/** Whether a token has the layout of legacy tokens: the legacy issuer, and no `kubernetes.io` object. @internal */
export function isLegacyLayout(claims: JsonObject): boolean {
  return member(claims, 'iss') === LEGACY_ISSUER && !Object.hasOwn(claims, BOUND);
}

/**
 * Reads the claims of a legacy token: flat claims without `aud` and usually without `exp`. No token has both layouts
 * (RFC 8725 §3.12).
 * @throws {InvalidTokenError} REJECTED
 * @internal
 */
export function readLegacyClaims(claims: JsonObject): ServiceAccountFacts {
  for (const name of ['aud', BOUND]) {
    if (Object.hasOwn(claims, name)) throw rejected(`"${name}" claim: expected none in a legacy token`);
  }
  return identity(claims, {
    namespace: member(claims, `${LEGACY_PREFIX}namespace`),
    name: member(claims, `${LEGACY_PREFIX}service-account.name`),
    uid: member(claims, `${LEGACY_PREFIX}service-account.uid`),
  });
}

function identity(
  claims: JsonObject,
  { namespace, name, uid }: Record<'namespace' | 'name' | 'uid', unknown>,
): ServiceAccountFacts {
  if (!isNamespaceName(namespace)) throw rejected('namespace: expected a DNS label');
  if (!isServiceAccountName(name)) throw rejected('service account: expected a DNS subdomain');
  if (!isText(uid)) throw rejected('service account: expected a uid');
  if (member(claims, 'sub') !== formatUsername({ namespace, name })) {
    throw rejected('"sub" claim: expected the service account of the "kubernetes.io" claims');
  }
  const jti = member(claims, 'jti');
  if (jti !== undefined && !isText(jti)) throw rejected('"jti" claim: expected a string');
  const facts: ServiceAccountFacts = { namespace, serviceAccount: name, serviceAccountUid: uid };
  // The form that the API server uses (KEP-4193, credential-id).
  if (jti !== undefined) facts.credentialId = `JTI=${jti}`;
  return facts;
}

/** `{name, uid?}` of a bound object; `undefined` when the token is not bound to one. */
function reference(bound: JsonObject, kind: 'pod' | 'node'): { name: string; uid?: string } | undefined {
  if (!Object.hasOwn(bound, kind)) return undefined;
  const object = objectMember(bound, kind);
  const name = member(object, 'name');
  const uid = member(object, 'uid');
  if (!isText(name)) throw rejected(`"kubernetes.io" claim: expected a ${kind} with a name`);
  if (uid === undefined) return { name };
  if (!isText(uid)) throw rejected(`"kubernetes.io" claim: expected a ${kind} with a uid`);
  return { name, uid };
}

function objectMember(object: JsonObject, name: string): JsonObject {
  const value = member(object, name);
  if (!isJsonObject(value)) throw rejected(`"${name}" claim: expected an object`);
  return value;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function rejected(message: string): InvalidTokenError {
  return new InvalidTokenError('REJECTED', message);
}
