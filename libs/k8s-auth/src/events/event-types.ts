import { type K8sAuthError, type K8sAuthErrorCode } from '../errors.js';
import { type Principal } from '../identity/principal.js';
import { type Operation, type OperationObserver } from './operations.js';

/**
 * What happened to a request: accepted (200), its token was rejected (401), its caller or route is forbidden (403), the
 * verifier could not decide (503), its credentials are malformed (400), or it has none (401).
 * @publicApi
 */
export type RequestOutcome = 'accepted' | RefusalOutcome;

/** The outcomes of a refused request. @publicApi */
export type RefusalOutcome = 'rejected' | 'forbidden' | 'unavailable' | 'malformed' | 'missing';

/** A request was accepted: its token was verified and all rules of the route allowed the caller. @publicApi */
export interface VerifiedEvent {
  /** `GET /orders/:id`, or `OrdersController.find` if there is no single pattern. Never the URL of the request. */
  readonly route: string;
  readonly principal: Principal;
}

/** A request was refused, or would have been if its route were enforced. @publicApi */
export interface RejectedEvent {
  /** `GET /orders/:id`, or `OrdersController.find` if there is no single pattern. Never the URL of the request. */
  readonly route: string;
  readonly outcome: RefusalOutcome;
  /** The reason, one of a closed set. */
  readonly code: K8sAuthErrorCode;
  /** The error of this library. Its message contains no token text. */
  readonly error: K8sAuthError;
  /** `false`: the request passed, because `enforce` is `false` for its route. */
  readonly enforced: boolean;
  readonly caller: EventCaller;
}

/** Who sent a refused request. The fields are only as trustworthy as `verified` says. @publicApi */
export interface EventCaller {
  /** `false`: the token was not accepted, so anybody may have written these names. */
  readonly verified: boolean;
  /** The token's `sub`, if it is a short name of safe characters. */
  readonly sub?: string;
  /** `JTI=<jti>`, as the API server's audit log writes it. */
  readonly credentialId?: string;
}

/**
 * The public keys could not be fetched again. The last good keys stay in use until they are too old. Emitted for each
 * failed fetch.
 * @publicApi
 */
export interface StaleKeysEvent {
  /** Age of the keys that are in use, milliseconds. Omitted if there are no keys. */
  readonly ageMs?: number;
  /** Why the fetch failed, as in the log. */
  readonly reason: string;
  /** The issuers whose tokens the keys verify, if they are known. */
  readonly issuers?: readonly string[];
}

/** A token file of this service contains another token than before. @publicApi */
export interface TokenRotatedEvent {
  readonly tokenFile: string;
  /** `exp` of the new token, milliseconds since the epoch. Omitted for a token without `exp`. */
  readonly expiresAtMs?: number;
  /** `exp` of the token that was replaced, milliseconds since the epoch. */
  readonly previousExpiresAtMs?: number;
}

/**
 * Functions that are called when something happens. They are called synchronously, while the request waits, so they must
 * be fast. An error that one of them throws is logged, at most once a minute, and changes nothing else: it never changes a
 * verdict. No event contains token text.
 * @publicApi
 */
export interface K8sAuthListener {
  /** Called for each accepted request, once per request and handler, also if the verdict was in memory. */
  onVerified?(event: VerifiedEvent): void;
  /** Called for each refused request. */
  onRejected?(event: RejectedEvent): void;
  onStaleKeys?(event: StaleKeysEvent): void;
  onTokenRotated?(event: TokenRotatedEvent): void;
  /**
   * Called when a verification or a review starts, for measurements and traces.
   * @returns an observer of this operation, or `undefined` for none
   */
  onOperation?(operation: Operation): OperationObserver | undefined;
}

/** The names of the events. @internal */
export const EVENT_NAMES = [
  'onVerified',
  'onRejected',
  'onStaleKeys',
  'onTokenRotated',
  'onOperation',
] as const;

/** @internal */
export type EventName = (typeof EVENT_NAMES)[number];

/** @internal */
export type EventOf<Name extends EventName> = Parameters<NonNullable<K8sAuthListener[Name]>>[0];
