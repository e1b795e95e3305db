import {
  BadRequestException,
  type ExecutionContext,
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
  suspendStackTraces,
  UndecoratedRouteError,
  UnsupportedContextError,
  VerifierUnavailableError,
} from '../../errors.js';
import { type Principal } from '../../identity/principal.js';
import { type InboundRoot } from '../routes/route.js';
import { findTransport } from '../transports/index.js';
import { type ConnectionPolicy } from '../transports/long-lived-connections.js';
import { type Refusal } from '../transports/transport.js';
import { RefusedRequestEvent } from './refused-request.event.js';
import { describeRoute } from './route-label.js';
import { isRememberedUnenforced, rememberUnenforced } from './unenforced-request.js';

/** The errors that have an HTTP response. Any other error is our own failure and becomes a VerifierUnavailableError. */
type RefusableError =
  | MissingTokenError
  | MalformedCredentialsError
  | InvalidTokenError
  | ForbiddenPrincipalError
  | UndecoratedRouteError
  | VerifierUnavailableError;

/** The HTTP response to a refused request. */
interface RefusalResponse {
  readonly exception: new (body?: object, options?: { cause: unknown }) => HttpException;
  /** Nest's default body for the status: the reason for a refusal would help an attacker. */
  readonly body: object;
  /** `WWW-Authenticate`, RFC 6750 §3: it has an error code only if the caller sent credentials (§3.1). */
  readonly challenge: string | undefined;
}

function responseOf(exception: RefusalResponse['exception'], challenge?: string): RefusalResponse {
  // Created without options, because Nest 11 omits the message from an exception that has a cause and no text.
  return { exception, challenge, body: new exception().getResponse() as object };
}

const INSUFFICIENT_SCOPE = responseOf(ForbiddenException, 'Bearer error="insufficient_scope"');
const UNAVAILABLE = responseOf(ServiceUnavailableException);

const RESPONSES: readonly (readonly [abstract new (...args: never[]) => RefusableError, RefusalResponse])[] =
  [
    [MissingTokenError, responseOf(UnauthorizedException, 'Bearer')],
    [InvalidTokenError, responseOf(UnauthorizedException, 'Bearer error="invalid_token"')],
    [MalformedCredentialsError, responseOf(BadRequestException, 'Bearer error="invalid_request"')],
    [ForbiddenPrincipalError, INSUFFICIENT_SCOPE],
    [UndecoratedRouteError, INSUFFICIENT_SCOPE],
    [VerifierUnavailableError, UNAVAILABLE],
  ];

/** What is known about a request when it is refused. */
export interface RefusedRequest {
  readonly context: ExecutionContext;
  readonly token?: string;
  readonly principal?: Principal;
  /** `false`: the refusal is only logged and counted, and the request passes. @default true */
  readonly enforce?: boolean;
}

/**
 * Logs why a request is refused, and throws the exception for its response.
 * @returns `true` if the route is not enforced
 * @throws {HttpException} 400, 401, 403 or 503, with the library's error as its `cause`; outside of HTTP, the error of the
 *   transport
 * @throws {UnsupportedContextError} the same error as `thrown`: the transport is unknown
 * @internal
 */
export function refuse(
  root: Pick<InboundRoot, 'refusals' | 'events' | 'adapterHost' | keyof ConnectionPolicy>,
  refused: RefusedRequest,
  thrown: unknown,
): true {
  const { refusals, events, adapterHost } = root;
  const { context, token, principal } = refused;
  // Own property only, so that a polluted Object.prototype opens no route.
  const enforce = !Object.hasOwn(refused, 'enforce') || refused.enforce !== false;
  // Several guards may run on one request. It is logged and counted once.
  if (!enforce && isRememberedUnenforced(context)) return true;
  const route = describeRoute(context);
  if (thrown instanceof UnsupportedContextError) {
    refusals.record({ error: thrown, route });
    if (events.hears('onRejected'))
      events.emit('onRejected', new RefusedRequestEvent({ error: thrown, route }));
    throw thrown;
  }
  const known = RESPONSES.find(([kind]) => thrown instanceof kind);
  // Not attached as the cause, because its content is unknown. Its message is in the log, with the token redacted.
  const error = known ? (thrown as RefusableError) : new VerifierUnavailableError('unexpected error');
  refusals.record({ error, enforce, route, token, principal, unexpected: known ? undefined : { thrown } });
  if (events.hears('onRejected'))
    events.emit('onRejected', new RefusedRequestEvent({ error, enforce, route, token, principal }));
  if (!enforce) {
    rememberUnenforced(root, refused);
    return true;
  }
  const response = known?.[1] ?? UNAVAILABLE;
  if (context.getType() !== 'http') throw toMessageError(context, response, error);
  // Absent in a testing module from which no application was created.
  const adapter = adapterHost.httpAdapter as AbstractHttpAdapter | undefined;
  if (adapter) setHeaders(adapter, context.getArgByIndex<unknown>(1), response, error);
  throw toHttpException(response, error);
}

/** Outside of HTTP, malformed credentials are reported like a rejected token. */
function toMessageError(
  context: ExecutionContext,
  response: RefusalResponse,
  error: RefusableError,
): unknown {
  const resumeStackTraces = suspendStackTraces();
  try {
    const exception = new response.exception();
    const status = exception.getStatus();
    const refusal: Refusal =
      error instanceof VerifierUnavailableError
        ? {
            code: 'SERVICE_UNAVAILABLE',
            statusCode: 503,
            message: exception.message,
            retryAfterSeconds: Number(retryAfterOf(error)),
            cause: error,
          }
        : status === 403
          ? { code: 'FORBIDDEN', statusCode: 403, message: exception.message, cause: error }
          : { code: 'UNAUTHENTICATED', statusCode: 401, message: 'Unauthorized', cause: error };
    return findTransport(context)?.toError(context, refusal) ?? exception;
  } finally {
    resumeStackTraces();
  }
}

/** On the response and not on the exception, so that they are kept if a user's exception filter answers. */
function setHeaders(
  adapter: AbstractHttpAdapter,
  response: unknown,
  { challenge }: RefusalResponse,
  error: RefusableError,
): void {
  try {
    // Other code, such as a timeout, may have answered during the verification.
    if (adapter.isHeadersSent(response)) return;
    if (challenge !== undefined) adapter.setHeader(response, 'WWW-Authenticate', challenge);
    if (error instanceof VerifierUnavailableError)
      adapter.setHeader(response, 'Retry-After', retryAfterOf(error));
  } catch {
    // Not a response: a library may run a handler with other arguments. The refusal must not depend on them.
  }
}

/** A new exception with a body of its own, because exception filters may change both. The cause says what happened. */
function toHttpException({ exception, body }: RefusalResponse, error: RefusableError): HttpException {
  const resumeStackTraces = suspendStackTraces();
  try {
    return new exception({ ...body }, { cause: error });
  } finally {
    resumeStackTraces();
  }
}

/** Whole seconds (RFC 9110 §10.2.3), rounded up: with 0, all callers would retry at once. */
function retryAfterOf({ retryAfterMs }: VerifierUnavailableError): string {
  return String(Number.isFinite(retryAfterMs) ? Math.max(1, Math.ceil(retryAfterMs / 1000)) : 1);
}
