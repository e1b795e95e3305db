import { jsonAnswer } from '../answer.js';
import { invalid } from '../api-error.js';
import { isAdministrator } from '../caller.js';
import { type ApiRequest, type ClusterParts, type Endpoint } from '../endpoint.js';
import { isJsonObject, type JsonObject } from '../jws.js';
import { objectMember, readObject } from '../request-body.js';
import { type Right } from '../rights.js';

const API_VERSION = 'authorization.k8s.io/v1';
const DISCOVERY_PATHS: readonly unknown[] = ['/.well-known/openid-configuration', '/openid/v1/jwks'];

/** "May I …?" for the two rights there are; everything else is for administrators only. */
export function accessReviewEndpoint({ rights }: ClusterParts): Endpoint {
  const isAllowed = (spec: JsonObject, { caller }: ApiRequest): boolean => {
    const right = rightFor(spec);
    return isAdministrator(caller) || (right !== undefined && rights.allows(right, caller));
  };
  return {
    name: 'accessreviews',
    method: 'POST',
    path: /^\/apis\/authorization\.k8s\.io\/v1\/selfsubjectaccessreviews$/,
    access: 'authenticated',
    answer(request) {
      const spec = objectMember(readObject(request, 'SelfSubjectAccessReview', API_VERSION), 'spec');
      if (isJsonObject(spec.resourceAttributes) === isJsonObject(spec.nonResourceAttributes)) {
        throw invalid(
          'SelfSubjectAccessReview.authorization.k8s.io',
          '',
          'spec.resourceAttributes',
          'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
        );
      }
      return jsonAnswer(201, {
        kind: 'SelfSubjectAccessReview',
        apiVersion: API_VERSION,
        metadata: { creationTimestamp: null },
        spec,
        status: { allowed: isAllowed(spec, request) },
      });
    },
  };
}

function rightFor(spec: JsonObject): Right | undefined {
  const { group, resource, subresource, verb } = objectMember(spec, 'resourceAttributes');
  const isTokenReview = group === 'authentication.k8s.io' && resource === 'tokenreviews' && !subresource;
  if (isTokenReview && verb === 'create') return 'create tokenreviews';
  const nonResource = objectMember(spec, 'nonResourceAttributes');
  const isDiscovery = DISCOVERY_PATHS.includes(nonResource.path) && nonResource.verb === 'get';
  return isDiscovery ? 'read discovery' : undefined;
}
