/** All codes of this library's errors. The set is closed, so a `switch` can be exhaustive. See docs/errors.md. @publicApi */
export type K8sAuthErrorCode = `ERR_K8S_AUTH_${K8sAuthErrorCodeSuffix}`;

type K8sAuthErrorCodeSuffix =
  | 'TOKEN_MISSING'
  | 'CREDENTIALS_MALFORMED'
  | `TOKEN_${InvalidTokenReason}`
  | 'PRINCIPAL_FORBIDDEN'
  | 'ROUTE_UNDECORATED'
  | 'CONTEXT_UNSUPPORTED'
  | 'VERIFIER_UNAVAILABLE'
  | `TOKEN_FILE_${TokenFileReason}`
  | 'CONFIGURATION_INVALID';

/** Why a token was rejected. For the log only: callers get the same response for every reason. @publicApi */
export type InvalidTokenReason =
  'MALFORMED' | 'SIGNATURE' | 'EXPIRED' | 'NOT_YET_VALID' | 'ISSUER' | 'AUDIENCE' | 'REJECTED';

/** Why a token file has no usable token. @publicApi */
export type TokenFileReason = 'UNREADABLE' | 'EMPTY' | 'MALFORMED' | 'AUDIENCE' | 'EXPIRED';

/** @deprecated use {@link TokenFileReason} */
export type TokenFileTrouble = TokenFileReason;

/**
 * Base class of every error that this library throws. These errors do not depend on HTTP: inbound/refusal.ts decides
 * which response a caller gets. No message, field or cause contains token text.
 * @publicApi
 */
export abstract class K8sAuthError extends Error {
  /** Stable; safe to branch on. */
  abstract readonly code: K8sAuthErrorCode;

  constructor(message: string, { cause }: { cause?: unknown } = {}) {
    // Without a cause there is no `cause` property: loggers would print `cause: undefined`.
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
  }
}

/**
 * Sets the length of the stack traces of new errors to 0, until the returned function is called. Call that in a `finally`
 * block of the same function: the length applies to the whole process.
 * @internal
 */
export function suspendStackTraces(): () => void {
  const { stackTraceLimit } = Error;
  // Unlike an assignment, this does not throw if the property is frozen. The errors have a stack trace then.
  Reflect.set(Error, 'stackTraceLimit', 0);
  return () => Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
}

/**
 * Base class of the errors that refuse one request because of what the caller sent. They have no stack trace, because
 * anyone can cause them in any number: collecting a stack trace takes longer than the rest of the refusal.
 */
abstract class RefusalError extends K8sAuthError {
  constructor(message: string, options?: { cause?: unknown }) {
    const resumeStackTraces = suspendStackTraces();
    try {
      super(message, options);
    } finally {
      resumeStackTraces();
    }
  }
}

/** The request carries no bearer credentials (RFC 6750 §3.1: no error code for the caller). @publicApi */
export class MissingTokenError extends RefusalError {
  readonly code = 'ERR_K8S_AUTH_TOKEN_MISSING';
}

/** The `Authorization` header is repeated, or its Bearer credentials are not one b64token (RFC 6750 §2.1). @publicApi */
export class MalformedCredentialsError extends RefusalError {
  readonly code = 'ERR_K8S_AUTH_CREDENTIALS_MALFORMED';
}

/**
 * The token was checked and rejected. Never thrown because a server is unreachable.
 * The code names the reason; it is for the log, not for the caller.
 * @publicApi
 */
export class InvalidTokenError extends RefusalError {
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

/** The caller is authenticated, but a rule of the route denies access. The message names the rule. @publicApi */
export class ForbiddenPrincipalError extends RefusalError {
  readonly code = 'ERR_K8S_AUTH_PRINCIPAL_FORBIDDEN';
}

/** The guard is global, and the route has neither `@K8sAuth` nor `@Public`. @publicApi */
export class UndecoratedRouteError extends RefusalError {
  readonly code = 'ERR_K8S_AUTH_ROUTE_UNDECORATED';
}

/** The guard runs in a context other than HTTP, where it cannot read credentials. @publicApi */
export class UnsupportedContextError extends K8sAuthError {
  readonly code = 'ERR_K8S_AUTH_CONTEXT_UNSUPPORTED';
}

const DEFAULT_RETRY_AFTER_MS = 1_000;

/**
 * The verifier could not decide: a server is unreachable, there are no keys yet, the service's own credential or right
 * was refused, or too many reviews are waiting. Says nothing about the token.
 * @publicApi
 */
export class VerifierUnavailableError extends K8sAuthError {
  readonly code = 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE';
  /** How long to wait before a retry may succeed, in whole milliseconds. @default 1000 */
  readonly retryAfterMs: number;

  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, options);
    this.retryAfterMs = Math.ceil(options.retryAfterMs ?? DEFAULT_RETRY_AFTER_MS);
  }
}

/**
 * There is no usable token for the destination, so the request was not sent. The message names the token file.
 * @publicApi
 */
export class TokenSourceError extends K8sAuthError {
  readonly code: `ERR_K8S_AUTH_TOKEN_FILE_${TokenFileReason}`;

  constructor(
    readonly reason: TokenFileReason,
    /** The file that should hold the token. */
    readonly tokenFile: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.code = `ERR_K8S_AUTH_TOKEN_FILE_${reason}`;
  }

  /** @deprecated use `reason` */
  get trouble(): TokenFileReason {
    return this.reason;
  }
}

/** Where a mistake is: the dotted path of an option, or a description of another place. */
export type MistakePlace = { readonly option: string } | string;

/** A mistake and its place. Without a place, the message is complete on its own. */
export interface Mistake {
  readonly place?: MistakePlace;
  readonly message: string;
}

/** @internal */
export function formatPlace(place: MistakePlace): string {
  return typeof place === 'string' ? place : `option '${place.option}'`;
}

/**
 * The configuration is invalid and startup fails. `mistakes` lists every mistake: each names its option or variable and
 * what was expected. None contains the configured value.
 * @publicApi
 */
export class ConfigurationError extends K8sAuthError {
  readonly code = 'ERR_K8S_AUTH_CONFIGURATION_INVALID';

  readonly mistakes: readonly string[];

  /** @param details mistakes as text, or with their place, so that a caller can rename the place (see `nameVariables`) */
  constructor(
    /** @internal */
    readonly details: readonly (Mistake | string)[],
    options?: { cause?: unknown },
  ) {
    const mistakes = details.map(formatMistake);
    super(
      `invalid k8s-auth configuration:\n${mistakes.map((mistake) => `  - ${mistake}`).join('\n')}`,
      options,
    );
    this.mistakes = mistakes;
  }
}

function formatMistake(mistake: Mistake | string): string {
  if (typeof mistake === 'string') return mistake;
  const { place, message } = mistake;
  return place === undefined ? message : `${formatPlace(place)}: ${message}`;
}
