import { ApiError } from './api-error.js';
import { type Caller } from './caller.js';

const RESOURCE_PATH =
  /^\/(?:api\/v1|apis\/(?<group>[^/]+)\/[^/]+)\/(?:namespaces\/(?<namespace>[^/]+)\/(?=[^/]))?(?<resource>[^/]+)(?:\/(?<name>[^/]+))?(?:\/(?<subresource>[^/]+))?$/;

const VERBS: Record<string, string> = { GET: 'get', POST: 'create', PUT: 'update', DELETE: 'delete' };

/** The refusal in the API server's words, which name the resource or the path that was asked for. */
export function forbidden(caller: Caller, method: string, path: string): ApiError {
  const groups = RESOURCE_PATH.exec(path)?.groups;
  const user = `User "${caller.username}"`;
  const verb = VERBS[method] ?? method.toLowerCase();
  if (!groups?.resource) {
    return new ApiError(403, 'Forbidden', `forbidden: ${user} cannot ${verb} path "${path}"`, {});
  }
  const { group = '', namespace, resource, name, subresource } = groups;
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  const what = [resource, subresource].filter(Boolean).join('/');
  const subject = [group ? `${resource}.${group}` : resource, name && `"${name}"`].filter(Boolean).join(' ');
  return new ApiError(
    403,
    'Forbidden',
    `${subject} is forbidden: ${user} cannot ${verb === 'get' && !name ? 'list' : verb} resource "${what}" in API group "${group}" ${scope}`,
    { ...(name && { name }), ...(group && { group }), kind: resource },
  );
}
