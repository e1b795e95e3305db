import { jsonAnswer } from '../answer.js';
import { invalid } from '../api-error.js';
import { isAdministrator } from '../caller.js';
import { type ApiRequest, type ClusterParts, type Endpoint } from '../endpoint.js';
import { isJsonObject, type JsonObject } from '../jws.js';
import { objectMember, readObject } from '../request-body.js';
import { type Right, type Subject } from '../rights.js';

const API_VERSION = 'authorization.k8s.io/v1';
const DISCOVERY_PATHS: readonly unknown[] = ['/.well-known/openid-configuration', '/openid/v1/jwks'].flatMap(
  (path) => [path, `${path}/`],
);

/** SelfSubjectAccessReview for the two supported rights; only administrators have all other rights. */
export function accessReviewEndpoint({ rights }: ClusterParts): Endpoint {
  const statusOf = (spec: JsonObject, { caller }: ApiRequest): object => {
    if (isAdministrator(caller)) return { allowed: true };
    const right = rightFor(spec);
    const grantee = right && rights.grantee(right, caller);
    return right && grantee !== undefined
      ? { allowed: true, reason: reasonOf(right, grantee) }
      : { allowed: false };
  };
  return {
    name: 'accessreviews',
    method: 'POST',
    path: /^\/apis\/authorization\.k8s\.io\/v1\/selfsubjectaccessreviews$/,
    access: 'authenticated',
    answer(request) {
      const spec = readObject(request, 'SelfSubjectAccessReview', API_VERSION, (object) =>
        objectMember(object, 'spec'),
      );
      assertOneQuestion(spec);
      return jsonAnswer(201, {
        kind: 'SelfSubjectAccessReview',
        apiVersion: API_VERSION,
        metadata: {},
        spec,
        status: statusOf(spec, request),
      });
    },
  };
}

const CLUSTER_ROLES: Readonly<Record<Right, string>> = {
  'create tokenreviews': 'system:auth-delegator',
  'read discovery': 'system:service-account-issuer-discovery',
};

/** The sentence of the RBAC authorizer (plugin/pkg/auth/authorizer/rbac). Bindings do not exist here, so names are made up. */
function reasonOf(right: Right, grantee: Subject): string {
  const role = CLUSTER_ROLES[right];
  const [namespace = '', name] = grantee.split('/');
  const isAccount = name !== undefined;
  const binding = isAccount ? `${namespace}-${name}-${role.replace('system:', '')}` : role;
  const subject = isAccount ? `ServiceAccount "${name}/${namespace}"` : `Group "${grantee}"`;
  return `RBAC: allowed by ClusterRoleBinding "${binding}" of ClusterRole "${role}" to ${subject}`;
}

/** @throws {ApiError} 422, which names the group and, as the API server's, no kind */
function assertOneQuestion({ resourceAttributes, nonResourceAttributes }: JsonObject): void {
  const refuse = (field: string, problem: string) => invalid('.authorization.k8s.io', '', field, problem);
  if (!isJsonObject(nonResourceAttributes)) {
    if (isJsonObject(resourceAttributes)) return;
    const problem = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
    throw refuse('spec.resourceAttributes', `Invalid value: null: ${problem}`);
  }
  if (!isJsonObject(resourceAttributes)) return;
  // The members with their names in Go.
  const { path: Path = '', verb: Verb = '' } = nonResourceAttributes;
  const value = JSON.stringify({ Path, Verb });
  const problem = 'cannot be specified in combination with resourceAttributes';
  throw refuse('spec.nonResourceAttributes', `Invalid value: ${value}: ${problem}`);
}

function rightFor(spec: JsonObject): Right | undefined {
  const { group, resource, subresource, verb } = objectMember(spec, 'resourceAttributes');
  const isTokenReview = group === 'authentication.k8s.io' && resource === 'tokenreviews' && !subresource;
  if (isTokenReview && verb === 'create') return 'create tokenreviews';
  const nonResource = objectMember(spec, 'nonResourceAttributes');
  const isDiscovery = DISCOVERY_PATHS.includes(nonResource.path) && nonResource.verb === 'get';
  return isDiscovery ? 'read discovery' : undefined;
}
