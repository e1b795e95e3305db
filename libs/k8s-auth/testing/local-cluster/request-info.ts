import { type Answer } from './answer.js';
import { ApiError, type StatusDetails } from './api-error.js';
import { type Caller } from './caller.js';

const RESOURCE_PATH =
  /^\/(?:api\/v1|apis\/(?<group>[^/]+)\/[^/]+)\/(?:namespaces\/(?<namespace>[^/]+)\/(?=[^/]))?(?<resource>[^/]+)(?:\/(?<name>[^/]+))?(?:\/(?<subresource>[^/]+))?$/;

const VERBS: Record<string, string> = { GET: 'get', POST: 'create', PUT: 'update', DELETE: 'delete' };

/** The authorizer's refusal. Unlike an admission plugin's refusal, it has a warning header for browsers. */
class AccessDenied extends ApiError {
  constructor(message: string, details: StatusDetails) {
    super(403, 'Forbidden', message, details);
  }

  override toAnswer(): Answer {
    const answer = super.toAnswer();
    return { ...answer, headers: { ...answer.headers, 'x-content-type-options': 'nosniff' } };
  }
}

/** The API server's message for a refusal, which names the requested resource or path. */
export function forbidden(caller: Caller, method: string, path: string): ApiError {
  const groups = RESOURCE_PATH.exec(path)?.groups;
  const user = `User "${caller.username}"`;
  const verb = VERBS[method] ?? method.toLowerCase();
  if (!groups?.resource) {
    return new AccessDenied(`forbidden: ${user} cannot ${verb} path "${path}"`, {});
  }
  const { group = '', namespace, resource, name, subresource } = groups;
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const what = [resource, subresource].filter(Boolean).join('/');
  const subject = [group ? `${resource}.${group}` : resource, name && `"${name}"`].filter(Boolean).join(' ');
  return new AccessDenied(
    `${subject} is forbidden: ${user} cannot ${verb === 'get' && !name ? 'list' : verb} resource "${what}" in API group "${group}" ${scope}`,
    { ...(name && { name }), ...(group && { group }), kind: resource },
  );
}
