import { jsonAnswer } from '../answer.js';
import { badRequest, conflict } from '../api-error.js';
import { type ClusterParts, type Endpoint } from '../endpoint.js';
import { type JsonObject } from '../jws.js';
import { rfc3339 } from '../object-store.js';
import { objectMember, readObject, stringMember, stringsMember } from '../request-body.js';
import { assertLifetime } from '../token-lifetime.js';

const API_VERSION = 'authentication.k8s.io/v1';
const DEFAULT_SECONDS = 3600;

/** POST …/serviceaccounts/{name}/token (KEP-1205). */
export function tokenRequestEndpoint(parts: ClusterParts): Endpoint {
  const { clock, state, tokens, apiAudiences, minimumTokenLifetimeMs } = parts;
  return {
    name: 'tokenrequest',
    method: 'POST',
    path: /^\/api\/v1\/namespaces\/(?<namespace>[^/]+)\/serviceaccounts\/(?<name>[^/]+)\/token$/,
    access: 'administrators',
    answer(request) {
      const { namespace, name } = request.params;
      const body = readObject(request, 'TokenRequest', API_VERSION);
      state.serviceAccounts.get(name, namespace);
      const spec = objectMember(body, 'spec');
      const asked = stringsMember(spec, 'audiences');
      const audiences = asked.length > 0 ? asked : apiAudiences;
      const expirationSeconds = lifetimeOf(spec, minimumTokenLifetimeMs);
      const pod = boundPodOf(spec, namespace, state);
      const nowMs = clock.wallMs();
      const token = tokens.issueBound({ namespace, serviceAccount: name, audiences, expirationSeconds, pod });
      return jsonAnswer(201, {
        kind: 'TokenRequest',
        apiVersion: API_VERSION,
        metadata: { name, namespace, creationTimestamp: rfc3339(nowMs) },
        spec: { audiences, expirationSeconds, boundObjectRef: spec.boundObjectRef ?? null },
        status: { token, expirationTimestamp: rfc3339(nowMs + expirationSeconds * 1000) },
      });
    },
  };
}

/** @throws {ApiError} 400 or 422 */
function lifetimeOf(spec: JsonObject, minimumMs: number): number {
  const seconds = spec.expirationSeconds ?? DEFAULT_SECONDS;
  if (typeof seconds !== 'number' || !Number.isSafeInteger(seconds)) {
    throw badRequest('cannot unmarshal "expirationSeconds" into an integer');
  }
  assertLifetime(seconds, minimumMs);
  return seconds;
}

/** @throws {ApiError} 404 for a pod that is gone, 409 for one with another UID, 400 for other kinds of objects */
function boundPodOf(spec: JsonObject, namespace: string, state: ClusterParts['state']): string | undefined {
  if (spec.boundObjectRef === undefined || spec.boundObjectRef === null) return undefined;
  const reference = objectMember(spec, 'boundObjectRef');
  const kind = stringMember(reference, 'kind');
  if (kind !== 'Pod') throw badRequest(`cannot bind token to object of type /v1, Kind=${kind}`);
  const name = stringMember(reference, 'name');
  const uid = stringMember(reference, 'uid');
  const { metadata } = state.pods.get(name, namespace);
  if (uid && uid !== metadata.uid) {
    throw conflict(
      'Pod',
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  return name;
}
