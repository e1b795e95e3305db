/** Every code this library's errors carry. Closed: a switch over it can be exhaustive. Rows in docs/errors.md. @publicApi */
export type K8sAuthErrorCode = `ERR_K8S_AUTH_${K8sAuthErrorCodeSuffix}`;

type K8sAuthErrorCodeSuffix =
  | 'TOKEN_MISSING'
  | 'CREDENTIALS_MALFORMED'
  | `TOKEN_${InvalidTokenReason}`
  | 'PRINCIPAL_FORBIDDEN'
  | 'ROUTE_UNDECORATED'
  | 'CONTEXT_UNSUPPORTED'
  | 'VERIFIER_UNAVAILABLE'
  | `TOKEN_FILE_${TokenFileTrouble}`
  | 'CONFIGURATION_INVALID';

/** Why a token was refused. For the log: callers see one answer for all of them. @publicApi */
export type InvalidTokenReason =
  'MALFORMED' | 'SIGNATURE' | 'EXPIRED' | 'NOT_YET_VALID' | 'ISSUER' | 'AUDIENCE' | 'REJECTED';

/** What is wrong with a token file. @publicApi */
export type TokenFileTrouble = 'UNREADABLE' | 'EMPTY' | 'MALFORMED' | 'AUDIENCE' | 'EXPIRED';

/**
 * Base of every error this library throws. Core errors know no HTTP: what a caller sees is decided in one place,
 * inbound/refusal.ts. No message, field or cause holds token text.
 * @publicApi
 */
export abstract class K8sAuthError extends Error {
  /** Stable; safe to branch on. */
  abstract readonly code: K8sAuthErrorCode;

  constructor(message: string, { cause }: { cause?: unknown } = {}) {
    // Without one there is no member either, which loggers would print.
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
  }
}

/** The request carries no bearer credentials (RFC 6750 §3.1: no error code for the caller). @publicApi */
export class MissingTokenError extends K8sAuthError {
  readonly code = 'ERR_K8S_AUTH_TOKEN_MISSING';
}

/** The `Authorization` header is repeated, or of the Bearer scheme and not one b64token (RFC 6750 §2.1). @publicApi */
export class MalformedCredentialsError extends K8sAuthError {
  readonly code = 'ERR_K8S_AUTH_CREDENTIALS_MALFORMED';
}

/**
 * The token was looked at and refused: never thrown because something could not be reached.
 * The code names the reason and is meant for the log, not for the caller.
 * @publicApi
 */
export class InvalidTokenError extends K8sAuthError {
  readonly code: `ERR_K8S_AUTH_TOKEN_${InvalidTokenReason}`;

  constructor(
    readonly reason: InvalidTokenReason,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.code = `ERR_K8S_AUTH_TOKEN_${reason}`;
  }
}

/** The caller is known, and a rule of the route says no. The message names the rule. @publicApi */
export class ForbiddenPrincipalError extends K8sAuthError {
  readonly code = 'ERR_K8S_AUTH_PRINCIPAL_FORBIDDEN';
}

/** The guard is global and the route says neither `@K8sAuth` nor `@Public`. @publicApi */
export class UndecoratedRouteError extends K8sAuthError {
  readonly code = 'ERR_K8S_AUTH_ROUTE_UNDECORATED';
}

/** The guard runs in a context whose credentials it cannot read (anything but HTTP). @publicApi */
export class UnsupportedContextError extends K8sAuthError {
  readonly code = 'ERR_K8S_AUTH_CONTEXT_UNSUPPORTED';
}

const DEFAULT_RETRY_AFTER_MS = 1_000;

/**
 * Could not decide: a server is away, there are no keys yet, our own credential or right was refused, or too many
 * reviews wait. Says nothing about the token.
 * @publicApi
 */
export class VerifierUnavailableError extends K8sAuthError {
  readonly code = 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE';
  /** When asking again may help, in whole milliseconds from now. @default 1000 */
  readonly retryAfterMs: number;

  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, options);
    this.retryAfterMs = Math.ceil(options.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS);
  }
}

/**
 * There is no token to call with: the request was not sent. The message names the file.
 * @publicApi
 */
export class TokenSourceError extends K8sAuthError {
  readonly code: `ERR_K8S_AUTH_TOKEN_FILE_${TokenFileTrouble}`;

  constructor(
    readonly trouble: TokenFileTrouble,
    /** The file that should hold the token. */
    readonly tokenFile: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.code = `ERR_K8S_AUTH_TOKEN_FILE_${trouble}`;
  }
}

/** Where a mistake is: an option by its dotted path, or another place in words. */
export type MistakePlace = { readonly option: string } | string;

/** A mistake, and where it is; without a place the message says all. */
export interface Mistake {
  readonly place?: MistakePlace;
  readonly message: string;
}

/** @internal */
export function wordPlace(place: MistakePlace): string {
  return typeof place === 'string' ? place : `option '${place.option}'`;
}

/**
 * The process must not start like this. `mistakes` holds every mistake found, each naming its option or variable and
 * what was expected, none repeating the value.
 * @publicApi
 */
export class ConfigurationError extends K8sAuthError {
  readonly code = 'ERR_K8S_AUTH_CONFIGURATION_INVALID';

  readonly mistakes: readonly string[];

  /** @param details each as text, or with its place, for whoever can name that better */
  constructor(
    /** @internal */
    readonly details: readonly (Mistake | string)[],
    options?: { cause?: unknown },
  ) {
    const mistakes = details.map(wordMistake);
    super(
      `invalid k8s-auth configuration:\n${mistakes.map((mistake) => `  - ${mistake}`).join('\n')}`,
      options,
    );
    this.mistakes = mistakes;
  }
}

/**
 * Waits for both; where either finds mistakes, for one error with those of both.
 * @throws {ConfigurationError}
 * @internal
 */
export async function bothOrMistakes<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  const outcomes = await Promise.allSettled([one, other]);
  const errors = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
  );
  const [first, second] = errors;
  if (first instanceof ConfigurationError && second instanceof ConfigurationError) {
    throw new ConfigurationError([...first.details, ...second.details], {
      cause: first.cause ?? second.cause,
    });
  }
  // The error of one of them, or none.
  return Promise.all([one, other]);
}

function wordMistake(mistake: Mistake | string): string {
  if (typeof mistake === 'string') return mistake;
  const { place, message } = mistake;
  return place === undefined ? message : `${wordPlace(place)}: ${message}`;
}
