import { jsonAnswer } from '../answer.js';
import { badRequest, conflict } from '../api-error.js';
import { type ClusterParts, type Endpoint } from '../endpoint.js';
import { type JsonObject } from '../jws.js';
import { rfc3339 } from '../object-store.js';
import { objectMember, readObject, stringMember, stringsMember, UndecodableMember } from '../request-body.js';
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
      const asked = readObject(request, 'TokenRequest', API_VERSION, readSpec);
      const { expirationSeconds, reference } = asked;
      const { uid } = state.serviceAccounts.get(name, namespace).metadata;
      const audiences = asked.audiences.length > 0 ? asked.audiences : apiAudiences;
      assertLifetime(expirationSeconds, minimumTokenLifetimeMs);
      const pod = reference && boundPod(reference, namespace, state);
      const nowMs = clock.wallMs();
      const token = tokens.issueBound({ namespace, serviceAccount: name, audiences, expirationSeconds, pod });
      return jsonAnswer(201, {
        kind: 'TokenRequest',
        apiVersion: API_VERSION,
        metadata: { name, namespace, uid, creationTimestamp: rfc3339(nowMs) },
        spec: { audiences, expirationSeconds, boundObjectRef: reference ?? null },
        status: { token, expirationTimestamp: rfc3339(nowMs + expirationSeconds * 1000) },
      });
    },
  };
}

interface TokenRequestSpec {
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  readonly reference: JsonObject | undefined;
}

/** @throws {ApiError} 400 */
function readSpec(body: JsonObject): TokenRequestSpec {
  const spec = objectMember(body, 'spec');
  const { expirationSeconds = DEFAULT_SECONDS, boundObjectRef } = spec;
  if (typeof expirationSeconds !== 'number' || !Number.isSafeInteger(expirationSeconds)) {
    throw new UndecodableMember('expirationSeconds', 'an integer');
  }
  const hasReference = boundObjectRef !== undefined && boundObjectRef !== null;
  return {
    audiences: stringsMember(spec, 'audiences'),
    expirationSeconds,
    reference: hasReference ? objectMember(spec, 'boundObjectRef') : undefined,
  };
}

/**
 * @returns the pod's name
 * @throws {ApiError} 404 for a pod that does not exist, 409 for a pod with another UID, 400 for other kinds of objects
 */
function boundPod(reference: JsonObject, namespace: string, state: ClusterParts['state']): string {
  const kind = stringMember(reference, 'kind');
  if (kind !== 'Pod') throw badRequest(`cannot bind token to object of type /v1, Kind=${kind}`);
  const name = stringMember(reference, 'name');
  if (name === '') throw badRequest('Name parameter required.');
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
