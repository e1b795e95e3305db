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

/** What {@link readAudiences} accepts, in words that follow `expected`. @internal */
export const AUDIENCE_RULE =
  'a name, or a list of one or more different names, none of them empty or with white space around it';

/** Neither empty nor with white space around it, nor of several lines. */
const NAME = /^\S(.*\S)?$/;

/**
 * The one rule for decorators, options and the environment.
 *
 * What a token may be issued for, as a decorator or an option states it.
 * @returns `undefined` for what no token is issued for: no text, or one that is empty or has white space around it, and
 *   lists that are empty or name one audience twice
 * @internal
 */
export function readAudiences(value: unknown): readonly string[] | undefined {
  const audiences: readonly unknown[] = Array.isArray(value) ? Array.from(value) : [value];
  const isUsable = (one: unknown): one is string => typeof one === 'string' && NAME.test(one);
  return audiences.length > 0 && audiences.every(isUsable) && new Set(audiences).size === audiences.length
    ? [...audiences]
    : undefined;
}

/** Equal for audiences that mean the same. @internal */
export function audienceKeyOf(audience: unknown): string {
  // What is no audience may be anything, such as a list that contains itself.
  return JSON.stringify(readAudiences(audience)?.toSorted()) ?? typeof audience;
}
