import { type Principal } from '../identity/principal.js';
import { type AuthorizationRule } from './authorization-rule.js';

/**
 * What came of asking a rule. A rule that throws, or answers with anything but a decision, has not decided: that
 * refuses too, and is told apart because the opposite of it is not "allowed".
 */
export type RuleOutcome =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'denied'; readonly reason: string }
  | { readonly kind: 'undecided'; readonly reason: string; readonly cause?: unknown };

/** Never throws. @internal */
export function decide(rule: AuthorizationRule, principal: Principal): RuleOutcome {
  try {
    const decision: unknown = rule(principal);
    // An async rule is a mistake; its rejection, which nobody awaits, must not end the process as well.
    if (decision instanceof Promise) decision.catch(() => {});
    const { allowed, reason } = (decision ?? {}) as { allowed?: unknown; reason?: unknown };
    if (allowed === true) return { kind: 'allowed' };
    if (allowed !== false) return { kind: 'undecided', reason: 'gave no decision' };
    return { kind: 'denied', reason: typeof reason === 'string' ? reason : 'gave no reason' };
  } catch (cause) {
    return { kind: 'undecided', reason: 'threw an error', cause };
  }
}
