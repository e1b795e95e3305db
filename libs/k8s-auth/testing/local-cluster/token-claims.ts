import { formatUsername } from '../../src/identity/service-account-name.js';
import { type TokenOwner } from './caller.js';
import { type ClusterState } from './cluster-state.js';
import { isJsonObject, type JsonObject } from './jws.js';

// go-jose's jwt.DefaultLeeway, for `exp`, `nbf` and `iat` alike.
const LEEWAY_SECONDS = 60;

/** Times as the API server holds them; a claim that is missing is no obstacle. @throws {Error} its words */
export function assertTimesHold({ exp, nbf, iat }: JsonObject, wallMs: number): void {
  const nowSeconds = Math.floor(wallMs / 1000);
  for (const time of [exp, nbf, iat]) {
    if (time !== undefined && time !== null && typeof time !== 'number') {
      throw new Error('go-jose/go-jose/jwt: expected number value to unmarshal NumericDate');
    }
  }
  const isAhead = (time: unknown) => typeof time === 'number' && nowSeconds + LEEWAY_SECONDS < time;
  if (isAhead(nbf)) throw new Error('service account token is not valid yet');
  if (typeof exp === 'number' && nowSeconds - LEEWAY_SECONDS > exp) {
    throw new Error('service account token has expired');
  }
  if (isAhead(iat)) throw new Error('service account token is issued in the future');
}

/**
 * The ServiceAccount and the pod have to exist with the same UID. `sub` is not looked at: the API server takes the
 * user's name from the `kubernetes.io` claim (pkg/serviceaccount/claims.go).
 * @throws {Error} the API server's words
 */
export function validateBoundClaims(claims: JsonObject, state: ClusterState): TokenOwner {
  const kubernetes = member(claims, 'kubernetes.io');
  const namespace = text(kubernetes.namespace);
  const account = member(kubernetes, 'serviceaccount');
  const name = text(account.name);
  const { metadata } = state.serviceAccounts.get(name, namespace);
  if (metadata.uid !== account.uid) {
    throw new Error(`service account UID (${metadata.uid}) does not match claim (${text(account.uid)})`);
  }
  const node = member(kubernetes, 'node');
  const jti = text(claims.jti);
  return {
    namespace,
    name,
    uid: metadata.uid,
    ...(kubernetes.pod !== undefined && { pod: boundPod(member(kubernetes, 'pod'), namespace, state) }),
    ...(node.name !== undefined && {
      node: { name: text(node.name), ...(node.uid !== undefined && { uid: text(node.uid) }) },
    }),
    ...(jti && { jti }),
  };
}

function boundPod(claim: JsonObject, namespace: string, state: ClusterState): { name: string; uid: string } {
  const pod = state.pods.find(text(claim.name), namespace);
  if (!pod) throw new Error('service account token has been invalidated');
  const { name, uid } = pod.metadata;
  if (uid !== claim.uid) {
    throw new Error(`pod UID (${uid}) does not match service account pod ref claim (${text(claim.uid)})`);
  }
  return { name, uid };
}

/** Flat claims of Secret-based tokens (pkg/serviceaccount/legacy.go). @throws {Error} the API server's words */
export function validateLegacyClaims(claims: JsonObject, state: ClusterState): TokenOwner {
  const read = (name: string) => text(claims[`kubernetes.io/serviceaccount/${name}`]);
  const namespace = read('namespace');
  const name = read('service-account.name');
  const uid = read('service-account.uid');
  if (text(claims.sub) !== formatUsername({ namespace, name })) throw new Error('sub claim is invalid');
  if (!state.secrets.find(read('secret.name'), namespace)) throw new Error('Token has been invalidated');
  const { metadata } = state.serviceAccounts.get(name, namespace);
  if (metadata.uid !== uid) {
    throw new Error(`ServiceAccount UID (${metadata.uid}) does not match claim (${uid})`);
  }
  return { namespace, name, uid };
}

function member(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return isJsonObject(value) ? value : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
