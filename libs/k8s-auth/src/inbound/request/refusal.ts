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
  UndecoratedRouteError,
  UnsupportedContextError,
  VerifierUnavailableError,
} from '../../errors.js';
import { type Principal } from '../../identity/principal.js';
import { type InboundRoot } from '../routes/route.js';

/** The errors that a caller can be told of; any other is our own failure and becomes a VerifierUnavailableError. */
type RefusableError =
  | MissingTokenError
  | MalformedCredentialsError
  | InvalidTokenError
  | ForbiddenPrincipalError
  | UndecoratedRouteError
  | VerifierUnavailableError;

/** What the caller is told. */
interface RefusalResponse {
  readonly exception: new (body?: object, options?: { cause: unknown }) => HttpException;
  /** `WWW-Authenticate`, RFC 6750 §3: an error code only where credentials were sent (§3.1). */
  readonly challenge?: string;
}

const INSUFFICIENT: RefusalResponse = {
  exception: ForbiddenException,
  challenge: 'Bearer error="insufficient_scope"',
};

const RESPONSES: readonly (readonly [abstract new (...args: never[]) => RefusableError, RefusalResponse])[] =
  [
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

function responseTo(error: unknown): RefusalResponse | undefined {
  return RESPONSES.find(([kind]) => error instanceof kind)?.[1];
}

function isRefusable(error: unknown): error is RefusableError {
  return responseTo(error) !== undefined;
}

/** What is known about a request when it is refused. */
export interface RefusedRequest {
  readonly context: ExecutionContext;
  readonly token?: string;
  readonly principal?: Principal;
}

/**
 * Logs why a request is refused, and throws what its caller is told.
 * @throws {HttpException} 400, 401, 403 or 503, with the library's error as its `cause`
 * @throws {UnsupportedContextError} as it is: that context has no HTTP response
 * @internal
 */
export function refuse(
  { refusals, adapterHost }: Pick<InboundRoot, 'refusals' | 'adapterHost'>,
  { context, ...known }: RefusedRequest,
  thrown: unknown,
): never {
  const route = describeRoute(context);
  if (thrown instanceof UnsupportedContextError) {
    refusals.record({ error: thrown, route });
    throw thrown;
  }
  const isForeseen = isRefusable(thrown);
  // Not as the cause: nobody knows what an unforeseen error holds. Its words are in the log, without the token.
  const error = isForeseen ? thrown : new VerifierUnavailableError('request could not be decided');
  refusals.record({ error, route, ...known, ...(!isForeseen && { unforeseen: { thrown } }) });
  // Absent as long as a testing module is not an application yet.
  const adapter = adapterHost.httpAdapter as AbstractHttpAdapter | undefined;
  throw toHttpException(error, adapter, context.switchToHttp().getResponse());
}

/** The exception to throw. Its headers are set on the response first, so that a user's exception filters keep them. */
function toHttpException(
  error: RefusableError,
  adapter: AbstractHttpAdapter | undefined,
  response: unknown,
): HttpException {
  const { exception, challenge } = responseTo(error) ?? { exception: ServiceUnavailableException };
  // Something else, a timeout perhaps, may have answered while the verifier was asked.
  if (adapter && !adapter.isHeadersSent(response)) {
    if (challenge !== undefined) adapter.setHeader(response, 'WWW-Authenticate', challenge);
    if (error instanceof VerifierUnavailableError)
      adapter.setHeader(response, 'Retry-After', retryAfterOf(error));
  }
  return new exception(bodyOf(exception), { cause: error });
}

/**
 * One body per status, Nest's own for it: the reason for a refusal would help an attacker. Built without options, because
 * Nest 11 leaves the message out of an exception that has a cause and no text.
 */
function bodyOf(exception: new () => HttpException): object {
  return new exception().getResponse() as object;
}

/** Whole seconds (RFC 9110 §10.2.3), rounded up: 0 would invite everybody back at once. */
function retryAfterOf({ retryAfterMs }: VerifierUnavailableError): string {
  return String(Number.isFinite(retryAfterMs) ? Math.max(1, Math.ceil(retryAfterMs / 1000)) : 1);
}

/** Where Express and Fastify keep the pattern of the route that matched. */
interface RoutedRequest {
  readonly method?: string;
  readonly route?: { readonly path?: unknown };
  readonly routeOptions?: { readonly url?: unknown };
}

/**
 * `GET /orders/:id`, or `OrdersController.find` where there is no single pattern. Never the URL of the request: its path
 * and query are chosen by the caller, and unbounded.
 * @internal
 */
export function describeRoute(context: ExecutionContext): string {
  if (context.getType() === 'http') {
    const request = context.switchToHttp().getRequest<RoutedRequest | undefined>();
    const pattern = request?.routeOptions?.url ?? request?.route?.path;
    if (typeof pattern === 'string' && request?.method !== undefined) return `${request.method} ${pattern}`;
  }
  return handlerLabelOf(context);
}

/** `OrdersController.find` @internal */
export function handlerLabelOf(context: ExecutionContext): string {
  return `${context.getClass().name}.${context.getHandler().name}`;
}
