import { describeError } from '../util/log.js';
import { type Principal } from '../identity/principal.js';

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
