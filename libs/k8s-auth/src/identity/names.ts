/** The namespace and the name of a ServiceAccount. */
export interface ServiceAccountName {
  readonly namespace: string;
  readonly name: string;
}

// RFC 1123 names as Kubernetes validates them (apimachinery util/validation): a label of up to 63 characters for a
// namespace, dot-joined labels of up to 253 characters for a ServiceAccount.
const LABEL = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const DNS_LABEL = new RegExp(`^${LABEL}$`);
const DNS_SUBDOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
const MAX_LABEL_LENGTH = 63;
const MAX_SUBDOMAIN_LENGTH = 253;

const PREFIX = 'system:serviceaccount:';

/** @internal */
export function isNamespaceName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_LABEL_LENGTH && DNS_LABEL.test(value);
}

/** @internal */
export function isServiceAccountName(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_SUBDOMAIN_LENGTH && DNS_SUBDOMAIN.test(value);
}

/** The username, as in TokenReview and in the `sub` claim: `system:serviceaccount:<namespace>:<name>`. @internal */
export function formatUsername({ namespace, name }: ServiceAccountName): string {
  return `${PREFIX}${namespace}:${name}`;
}

/** Accepts exactly four parts with valid Kubernetes names. @returns `undefined` for any other username @internal */
export function parseUsername(username: string): ServiceAccountName | undefined {
  if (!username.startsWith(PREFIX)) return undefined;
  const [namespace, name, ...rest] = username.slice(PREFIX.length).split(':');
  return rest.length === 0 && isNamespaceName(namespace) && isServiceAccountName(name)
    ? { namespace, name }
    : undefined;
}

/** Parses `<namespace>/<name>`, the form that rules and variables use. @returns `undefined` for any other text @internal */
export function parseServiceAccountPath(path: string): ServiceAccountName | undefined {
  const [namespace, name, ...rest] = path.split('/');
  return rest.length === 0 && isNamespaceName(namespace) && isServiceAccountName(name)
    ? { namespace, name }
    : undefined;
}

/** What {@link readAudiences} accepts, as a text to put after `expected`. @internal */
export const AUDIENCE_RULE =
  'a name, or a list of one or more different names, none of them empty or with white space around it';

/** One line, not empty, without white space at the start or the end. */
const NAME = /^\S(.*\S)?$/;

/**
 * The audiences that a decorator, an option or a variable states. All three use this function, so they accept the same
 * values.
 * @returns `undefined` for a value that is not a usable audience: it is not a string, it is empty, it has white space
 *   around it, or it is a list that is empty or contains a duplicate
 * @internal
 */
export function readAudiences(value: unknown): readonly string[] | undefined {
  const audiences: readonly unknown[] = Array.isArray(value) ? Array.from(value) : [value];
  const isUsable = (one: unknown): one is string => typeof one === 'string' && NAME.test(one);
  return audiences.length > 0 && audiences.every(isUsable) && new Set(audiences).size === audiences.length
    ? [...audiences]
    : undefined;
}

/** A key that is equal for two lists of the same audiences in any order. @internal */
export function audienceKeyOf(audience: unknown): string {
  // An invalid value can be anything, for example a list that contains itself, which JSON.stringify cannot handle.
  return JSON.stringify(readAudiences(audience)?.toSorted()) ?? typeof audience;
}
