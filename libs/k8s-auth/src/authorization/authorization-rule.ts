import { describeError } from '../util/log.js';
import { type Principal } from '../identity/principal.js';

/** Allowed, or denied with a reason for the log. @publicApi */
export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/**
 * May this caller in? A pure function: same principal, same decision. Anything but an explicit `allowed: true`
 * refuses, a thrown error included.
 * @publicApi
 */
export type AuthorizationRule = (principal: Principal) => Decision;

/**
 * What came of asking a rule. A rule that throws, or returns anything but a decision, has not decided: that refuses
 * too, and is told apart because the opposite of it is not "allowed".
 */
export type RuleOutcome =
  { readonly kind: 'allowed' } | { readonly kind: 'denied' | 'undecided'; readonly reason: string };

/** Never throws. @internal */
export function decide(rule: AuthorizationRule, principal: Principal): RuleOutcome {
  try {
    const decision: unknown = rule(principal);
    if (consumeThenable(decision))
      return { kind: 'undecided', reason: 'gave a promise instead of a decision' };
    const allowed = ownMember(decision, 'allowed');
    if (allowed === true) return { kind: 'allowed' };
    if (allowed !== false) return { kind: 'undecided', reason: 'gave no decision' };
    const reason = ownMember(decision, 'reason');
    return { kind: 'denied', reason: typeof reason === 'string' ? reason : 'gave no reason' };
  } catch (error) {
    return { kind: 'undecided', reason: `threw an error: ${describeError(error)}` };
  }
}

/** An async rule is a mistake, and its rejection, which nobody awaits, must not end the process as well. */
function consumeThenable(decision: unknown): boolean {
  if ((typeof decision !== 'object' && typeof decision !== 'function') || decision === null) return false;
  if (typeof (decision as { then?: unknown }).then !== 'function') return false;
  void Promise.resolve(decision).catch(() => {});
  return true;
}

/** Own, because a polluted prototype must not allow anybody. */
function ownMember(decision: unknown, name: string): unknown {
  return typeof decision === 'object' && decision !== null && Object.hasOwn(decision, name)
    ? Reflect.get(decision, name)
    : undefined;
}
