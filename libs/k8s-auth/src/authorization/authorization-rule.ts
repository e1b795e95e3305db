import { type Principal } from '../identity/principal.js';

/** Allowed, or denied with a reason for the log. @publicApi */
export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

/**
 * May this caller in? A pure function: same principal, same decision. Anything but an explicit `allowed: true`
 * refuses, a thrown error included.
 * @publicApi
 */
export type AuthorizationRule = (principal: Principal) => Decision;
