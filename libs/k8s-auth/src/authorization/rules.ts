import { ConfigurationError } from '../errors.js';
import { type Principal } from '../identity/principal.js';
import { isNamespaceName, parseServiceAccountPath } from '../identity/names.js';
import { describeError } from '../util/log.js';

/** Allowed, or denied with a reason for the log. @publicApi */
export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/**
 * Decides whether a caller is allowed. A pure function: the same principal gets the same decision. Only an explicit
 * `allowed: true` allows the caller; any other result denies, and so does a thrown error.
 * @publicApi
 */
export type AuthorizationRule = (principal: Principal) => Decision;

/**
 * The result of calling a rule. A rule that throws, or returns something that is not a decision, is `undecided`. The
 * caller is then denied. `undecided` is a kind of its own because `not(...)` must not turn it into "allowed".
 */
export type RuleOutcome =
  { readonly kind: 'allowed' } | { readonly kind: 'denied' | 'undecided'; readonly reason: string };

/** Calls a rule. Never throws. @internal */
export function decide(rule: AuthorizationRule, principal: Principal): RuleOutcome {
  try {
    const decision: unknown = rule(principal);
    if (consumeThenable(decision))
      return { kind: 'undecided', reason: 'gave a promise instead of a decision' };
    const allowed = ownProperty(decision, 'allowed');
    if (allowed === true) return { kind: 'allowed' };
    if (allowed !== false) return { kind: 'undecided', reason: 'gave no decision' };
    const reason = ownProperty(decision, 'reason');
    return { kind: 'denied', reason: typeof reason === 'string' ? reason : 'gave no reason' };
  } catch (error) {
    return { kind: 'undecided', reason: `threw an error: ${describeError(error)}` };
  }
}

/** An async rule is a mistake. Its rejection is caught here, because an unhandled rejection would end the process. */
function consumeThenable(decision: unknown): boolean {
  if ((typeof decision !== 'object' && typeof decision !== 'function') || decision === null) return false;
  if (typeof (decision as { then?: unknown }).then !== 'function') return false;
  void Promise.resolve(decision).catch(() => {});
  return true;
}

/** Reads own properties only, so that a polluted prototype cannot allow a caller. */
function ownProperty(decision: unknown, name: string): unknown {
  return typeof decision === 'object' && decision !== null && Object.hasOwn(decision, name)
    ? Reflect.get(decision, name)
    : undefined;
}

// Rules compare whole names for equality. Patterns (a prefix, a suffix, an expression) are not supported, because they
// are the usual way to bypass an allow-list.

const EXPECTED_RULE = "a rule, such as allowNamespaces('shop')";

const ALLOWED: Decision = Object.freeze({ allowed: true });

/**
 * Allows the ServiceAccounts listed, each as `namespace/name`.
 * @throws {ConfigurationError} the list is empty, or an entry is not two DNS-1123 names
 * @publicApi
 */
export function allowServiceAccounts(...paths: string[]): AuthorizationRule {
  checkArguments('allowServiceAccounts', paths, "a ServiceAccount as 'namespace/name'", isServiceAccountPath);
  const allowed = new Set(paths);
  return named('allowServiceAccounts', (principal) =>
    allowed.has(pathOf(principal)) ? ALLOWED : denied(`${pathOf(principal)} is not in the list`),
  );
}

/**
 * Allows every ServiceAccount of the namespaces listed.
 * @throws {ConfigurationError} the list is empty, or an entry is not a DNS-1123 label
 * @publicApi
 */
export function allowNamespaces(...namespaces: string[]): AuthorizationRule {
  checkArguments('allowNamespaces', namespaces, 'the name of a namespace', isNamespaceName);
  const allowed = new Set(namespaces);
  return named('allowNamespaces', ({ namespace }) =>
    allowed.has(namespace) ? ALLOWED : denied(`namespace ${namespace} is not in the list`),
  );
}

/**
 * Allows a caller that every rule allows.
 * @throws {ConfigurationError} there is no argument, or an argument is not a function
 * @publicApi
 */
export function allOf(...rules: AuthorizationRule[]): AuthorizationRule {
  checkArguments('allOf', rules, EXPECTED_RULE, isRule);
  return named('allOf', (principal) => {
    for (const rule of rules) {
      const outcome = decide(rule, principal);
      if (outcome.kind !== 'allowed') return denied(`${nameOf(rule)} ${outcome.reason}`);
    }
    return ALLOWED;
  });
}

/**
 * Allows a caller that at least one rule allows. If a rule throws, the remaining rules are still called.
 * @throws {ConfigurationError} there is no argument, or an argument is not a function
 * @publicApi
 */
export function anyOf(...rules: AuthorizationRule[]): AuthorizationRule {
  checkArguments('anyOf', rules, EXPECTED_RULE, isRule);
  return named('anyOf', (principal) => {
    const reasons: string[] = [];
    for (const rule of rules) {
      const outcome = decide(rule, principal);
      if (outcome.kind === 'allowed') return ALLOWED;
      reasons.push(`${nameOf(rule)} ${outcome.reason}`);
    }
    return denied(reasons.join('; '));
  });
}

/**
 * Allows a caller that every one of these rules denies. A rule that throws or returns no decision does not deny.
 * @throws {ConfigurationError} there is no argument, or an argument is not a function
 * @publicApi
 */
export function not(...rules: [AuthorizationRule, ...AuthorizationRule[]]): AuthorizationRule {
  checkArguments('not', rules, EXPECTED_RULE, isRule);
  return named('not', (principal) => {
    for (const rule of rules) {
      const outcome = decide(rule, principal);
      if (outcome.kind === 'allowed') return denied(`${nameOf(rule)} allows ${pathOf(principal)}`);
      if (outcome.kind === 'undecided') return denied(`${nameOf(rule)} ${outcome.reason}`);
    }
    return ALLOWED;
  });
}

// On the function, because one process may load the library twice.
const RULE_FACTORY = Symbol.for('nest-k8s-auth:rule-factory');
for (const factory of [allowServiceAccounts, allowNamespaces, allOf, anyOf, not])
  Object.defineProperty(factory, RULE_FACTORY, { value: true });

/** Whether a function is one of ours that creates a rule: as a rule, it would refuse every caller. @internal */
export function isRuleFactory(value: unknown): value is () => AuthorizationRule {
  return typeof value === 'function' && Object.hasOwn(value, RULE_FACTORY);
}

function denied(reason: string): Decision {
  return { allowed: false, reason };
}

function pathOf({ namespace, serviceAccount }: Principal): string {
  return `${namespace}/${serviceAccount}`;
}

/** Sets the name of the function. Error messages name a rule by it. */
function named(name: string, rule: AuthorizationRule): AuthorizationRule {
  return Object.defineProperty(rule, 'name', { value: name });
}

function nameOf(rule: AuthorizationRule): string {
  return rule.name || 'a rule';
}

/** Checks arguments at startup, because an entry that can never match would lock out a caller without any error. */
function checkArguments(
  rule: string,
  values: readonly unknown[],
  expected: string,
  isExpected: (value: unknown) => boolean,
): void {
  const mistakes = values.flatMap((value, index) =>
    isExpected(value) ? [] : [`${rule}: expected argument ${index + 1} to be ${expected}`],
  );
  if (values.length === 0) mistakes.push(`${rule}: expected at least one argument, each ${expected}`);
  if (mistakes.length > 0) throw new ConfigurationError(mistakes);
}

function isServiceAccountPath(value: unknown): boolean {
  return typeof value === 'string' && parseServiceAccountPath(value) !== undefined;
}

function isRule(value: unknown): boolean {
  return typeof value === 'function' && !isRuleFactory(value);
}
