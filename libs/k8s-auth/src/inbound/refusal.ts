import {
  BadRequestException,
  ForbiddenException,
  type HttpException,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import { type AbstractHttpAdapter } from '@nestjs/core';
import {
  ForbiddenPrincipalError,
  InvalidTokenError,
  MalformedCredentialsError,
  MissingTokenError,
  UndecoratedRouteError,
  VerifierUnavailableError,
} from '../errors/index.js';

/** The errors that have an answer; any other one is our own trouble and has to become a VerifierUnavailableError. */
export type RefusableError =
  | MissingTokenError
  | MalformedCredentialsError
  | InvalidTokenError
  | ForbiddenPrincipalError
  | UndecoratedRouteError
  | VerifierUnavailableError;

/** One body per status (the exception's default text): the reason of a refusal would help who guesses. */
interface Answer {
  readonly exception: new (body: undefined, options: { cause: unknown }) => HttpException;
  /** `WWW-Authenticate`, RFC 6750 §3: an error code only where credentials were sent (§3.1). */
  readonly challenge?: string;
}

const INSUFFICIENT: Answer = {
  exception: ForbiddenException,
  challenge: 'Bearer error="insufficient_scope"',
};

const ANSWERS: readonly (readonly [abstract new (...args: never[]) => RefusableError, Answer])[] = [
  [MissingTokenError, { exception: UnauthorizedException, challenge: 'Bearer' }],
  [
    MalformedCredentialsError,
    { exception: BadRequestException, challenge: 'Bearer error="invalid_request"' },
  ],
  [InvalidTokenError, { exception: UnauthorizedException, challenge: 'Bearer error="invalid_token"' }],
  [ForbiddenPrincipalError, INSUFFICIENT],
  [UndecoratedRouteError, INSUFFICIENT],
  [VerifierUnavailableError, { exception: ServiceUnavailableException }],
];

function answerTo(error: unknown): Answer | undefined {
  return ANSWERS.find(([kind]) => error instanceof kind)?.[1];
}

/** @internal */
export function isRefusable(error: unknown): error is RefusableError {
  return answerTo(error) !== undefined;
}

/**
 * Turns a refusal into HTTP, the only place that knows how: the exception to throw, and its headers, set on the
 * response before, so that exception filters of the user's own keep them.
 * @internal
 */
export function toHttpException(
  error: RefusableError,
  adapter: AbstractHttpAdapter,
  response: unknown,
): HttpException {
  const { exception, challenge } = answerTo(error) ?? { exception: ServiceUnavailableException };
  // Something else, a timeout perhaps, may have answered while the verifier was asked.
  if (!adapter.isHeadersSent(response)) {
    if (challenge !== undefined) adapter.setHeader(response, 'WWW-Authenticate', challenge);
    if (error instanceof VerifierUnavailableError)
      adapter.setHeader(response, 'Retry-After', retryAfterOf(error));
  }
  return new exception(undefined, { cause: error });
}

/** Whole seconds (RFC 9110 §10.2.3), rounded up: 0 would invite everybody back at once. */
function retryAfterOf({ retryAfterMs }: VerifierUnavailableError): string {
  return String(Number.isFinite(retryAfterMs) ? Math.max(1, Math.ceil(retryAfterMs / 1000)) : 1);
}
