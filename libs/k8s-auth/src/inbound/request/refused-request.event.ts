import {
  InvalidTokenError,
  type K8sAuthError,
  type K8sAuthErrorCode,
  MalformedCredentialsError,
  MissingTokenError,
  VerifierUnavailableError,
} from '../../errors.js';
import { type EventCaller, type RefusalOutcome, type RejectedEvent } from '../../events/event-types.js';
import { type Principal } from '../../identity/principal.js';
import { callerOf } from './refusal-log.js';

/** What is known about a refused request. */
interface Refusal {
  readonly route: string;
  readonly error: K8sAuthError;
  /** `false`: the request passes. @default true */
  readonly enforce?: boolean;
  readonly token?: string | undefined;
  readonly principal?: Principal | undefined;
}

/** Decodes the token only if a listener reads `caller`. No inspection of the event shows the token. @internal */
export class RefusedRequestEvent implements RejectedEvent {
  readonly route: string;
  readonly outcome: RefusalOutcome;
  readonly code: K8sAuthErrorCode;
  readonly error: K8sAuthError;
  readonly enforced: boolean;
  readonly #principal: Principal | undefined;
  #token: string | undefined;
  #caller: EventCaller | undefined;

  constructor({ route, error, enforce = true, token, principal }: Refusal) {
    this.route = route;
    this.outcome = outcomeOf(error);
    this.code = error.code;
    this.error = error;
    this.enforced = enforce;
    this.#principal = principal;
    this.#token = token;
  }

  get caller(): EventCaller {
    this.#caller ??= { verified: false, ...callerOf(this.#principal, this.#token) };
    // Not kept longer than needed.
    this.#token = undefined;
    return this.#caller;
  }

  /** JSON contains no accessors of a class, and nothing useful of an error. */
  toJSON(): object {
    const { route, outcome, code, error, enforced, caller } = this;
    return { route, outcome, code, reason: error.message, enforced, caller };
  }
}

function outcomeOf(error: K8sAuthError): RefusalOutcome {
  if (error instanceof InvalidTokenError) return 'rejected';
  if (error instanceof MissingTokenError) return 'missing';
  if (error instanceof MalformedCredentialsError) return 'malformed';
  return error instanceof VerifierUnavailableError ? 'unavailable' : 'forbidden';
}
