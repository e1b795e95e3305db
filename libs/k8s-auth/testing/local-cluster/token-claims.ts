import { formatUsername } from '../../src/identity/names.js';
import { type TokenOwner } from './caller.js';
import { assertTime, isAbsent } from './claim-types.js';
import { type ClusterState } from './cluster-state.js';
import { isJsonObject, type JsonObject } from './jws.js';
import { type ClusterObject } from './object-store.js';

// go-jose's jwt.DefaultLeeway, for `exp`, `nbf` and `iat` alike.
const LEEWAY_SECONDS = 60;

/** Times as the API server holds them; a missing claim is accepted. @throws {Error} with the API server's message */
export function assertTimesHold({ exp, nbf, iat }: JsonObject, wallMs: number): void {
  const nowSeconds = Math.floor(wallMs / 1000);
  for (const time of [exp, nbf, iat]) assertTime(time);
  const isAhead = (time: unknown) => typeof time === 'number' && nowSeconds + LEEWAY_SECONDS < int64(time);
  if (isAhead(nbf)) throw new Error('service account token is not valid yet');
  if (typeof exp === 'number' && nowSeconds - LEEWAY_SECONDS > int64(exp)) {
    throw new Error('service account token has expired');
  }
  if (isAhead(iat)) throw new Error('service account token is issued in the future');
}

/** A time as Go on amd64 represents it: a value that is too large or too small becomes the smallest integer. */
function int64(seconds: number): number {
  return Math.abs(seconds) < 2 ** 63 ? Math.trunc(seconds) : -(2 ** 63);
}

/**
 * The ServiceAccount and what the token is bound to have to exist with the same UID. `sub` is not checked: the API
 * server takes the user's name from the `kubernetes.io` claim (pkg/serviceaccount/claims.go).
 * @throws {Error} with the API server's message
 */
export function validateBoundClaims(claims: JsonObject, state: ClusterState): TokenOwner {
  const kubernetes = member(claims, 'kubernetes.io');
  const namespace = text(kubernetes.namespace);
  const account = member(kubernetes, 'serviceaccount');
  const name = text(account.name);
  if (name === '') throw new Error('resource name may not be empty');
  if (namespace === '') throw new Error('the server could not find the requested resource');
  const { metadata } = state.serviceAccounts.get(name, namespace);
  if (metadata.uid !== account.uid) {
    throw new Error(`service account UID (${metadata.uid}) does not match claim (${text(account.uid)})`);
  }
  const { secret, pod, node } = kubernetes;
  assertBinding({ secret, pod, node }, namespace, state);
  const jti = text(claims.jti);
  return {
    namespace,
    name,
    uid: metadata.uid,
    ...(isJsonObject(pod) && { pod: { name: text(pod.name), uid: text(pod.uid) } }),
    ...(isJsonObject(node) &&
      text(node.name) !== '' && {
        node: { name: text(node.name), ...(node.uid !== undefined && { uid: text(node.uid) }) },
      }),
    ...(jti && { jti }),
  };
}

/**
 * What the token is bound to: a Secret, a pod, or a node where there is no pod. @throws {Error} with the API server's
 * message
 */
function assertBinding(
  claims: Readonly<Record<'secret' | 'pod' | 'node', unknown>>,
  namespace: string,
  { secrets, pods, nodes }: ClusterState,
): void {
  assertExists('secret', claims.secret, (name) => secrets.find(name, namespace));
  assertExists('pod', claims.pod, (name) => pods.find(name, namespace));
  // The node of a pod is not checked: a pod's token stays valid after its node was replaced.
  if (isAbsent(claims.pod)) assertExists('node', claims.node, (name) => nodes.find(name));
}

function assertExists(
  kind: string,
  reference: unknown,
  find: (name: string) => ClusterObject | undefined,
): void {
  if (!isJsonObject(reference)) return;
  const object = find(text(reference.name));
  if (!object) throw new Error('service account token has been invalidated');
  const { uid } = object.metadata;
  if (uid !== reference.uid) {
    throw new Error(
      `${kind} UID (${uid}) does not match service account ${kind} ref claim (${text(reference.uid)})`,
    );
  }
}

/** Flat claims of Secret-based tokens (pkg/serviceaccount/legacy.go). @throws {Error} with the API server's message */
export function validateLegacyClaims(claims: JsonObject, state: ClusterState): TokenOwner {
  const read = (name: string) => text(claims[`kubernetes.io/serviceaccount/${name}`]);
  const namespace = read('namespace');
  const name = read('service-account.name');
  const uid = read('service-account.uid');
  if (text(claims.sub) === '') throw new Error('sub claim is missing');
  if (namespace === '') throw new Error('namespace claim is missing');
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
