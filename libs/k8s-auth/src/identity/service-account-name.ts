/** A ServiceAccount's place in the cluster. */
export interface ServiceAccountName {
  readonly namespace: string;
  readonly name: string;
}

// RFC 1123 names as Kubernetes validates them (apimachinery util/validation): a label of up to 63 characters for a
// namespace, dot-joined labels of up to 253 characters for a ServiceAccount.
const LABEL = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const DNS_LABEL = new RegExp(`^${LABEL}$`);
const DNS_SUBDOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
const LABEL_MAX = 63;
const SUBDOMAIN_MAX = 253;

const PREFIX = 'system:serviceaccount:';

/** @internal */
export function isNamespaceName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LABEL_MAX && DNS_LABEL.test(value);
}

/** @internal */
export function isServiceAccountName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= SUBDOMAIN_MAX && DNS_SUBDOMAIN.test(value);
}

/** The name as TokenReview and the `sub` claim give it: `system:serviceaccount:<namespace>:<name>`. @internal */
export function formatUsername({ namespace, name }: ServiceAccountName): string {
  return `${PREFIX}${namespace}:${name}`;
}

/** Exactly four parts, both names as Kubernetes makes them. @returns `undefined` for any other user. @internal */
export function parseUsername(username: string): ServiceAccountName | undefined {
  if (!username.startsWith(PREFIX)) return undefined;
  const [namespace, name, ...rest] = username.slice(PREFIX.length).split(':');
  return rest.length === 0 && isNamespaceName(namespace) && isServiceAccountName(name)
    ? { namespace, name }
    : undefined;
}

/** `<namespace>/<name>`, as rules and variables write it. @returns `undefined` for anything else. @internal */
export function parseServiceAccountPath(path: string): ServiceAccountName | undefined {
  const [namespace, name, ...rest] = path.split('/');
  return rest.length === 0 && isNamespaceName(namespace) && isServiceAccountName(name)
    ? { namespace, name }
    : undefined;
}
