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
  /** `WWW-Authenticate`, RFC 6750 §3: it has an error code only if the caller sent credentials (§3.1). */
  readonly challenge?: string;
}

const INSUFFICIENT_SCOPE: RefusalResponse = {
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
    [ForbiddenPrincipalError, INSUFFICIENT_SCOPE],
    [UndecoratedRouteError, INSUFFICIENT_SCOPE],
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
 * Logs why a request is refused, and throws the exception for its HTTP response.
 * @throws {HttpException} 400, 401, 403 or 503, with the library's error as its `cause`
 * @throws {UnsupportedContextError} the same error as `thrown`: the context has no HTTP response
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
  const isExpected = isRefusable(thrown);
  // Not attached as the cause, because its content is unknown. Its message is in the log, with the token redacted.
  const error = isExpected ? thrown : new VerifierUnavailableError('unexpected error');
  refusals.record({ error, route, ...known, ...(!isExpected && { unexpected: { thrown } }) });
  // Absent in a testing module from which no application was created.
  const adapter = adapterHost.httpAdapter as AbstractHttpAdapter | undefined;
  throw toHttpException(error, adapter, context.switchToHttp().getResponse());
}

/** Also sets the headers on the response, so that they are kept if a user's exception filter answers. */
function toHttpException(
  error: RefusableError,
  adapter: AbstractHttpAdapter | undefined,
  response: unknown,
): HttpException {
  const { exception, challenge } = responseTo(error) ?? { exception: ServiceUnavailableException };
  // Other code, for example a timeout, may have answered during the verification.
  if (adapter && !adapter.isHeadersSent(response)) {
    if (challenge !== undefined) adapter.setHeader(response, 'WWW-Authenticate', challenge);
    if (error instanceof VerifierUnavailableError)
      adapter.setHeader(response, 'Retry-After', retryAfterOf(error));
  }
  return new exception(bodyOf(exception), { cause: error });
}

/**
 * Nest's default body for the status: the reason for a refusal would help an attacker. The exception is created without
 * options, because Nest 11 omits the message from an exception that has a cause and no text.
 */
function bodyOf(exception: new () => HttpException): object {
  return new exception().getResponse() as object;
}

/** Whole seconds (RFC 9110 §10.2.3), rounded up: with 0, all callers would retry at once. */
function retryAfterOf({ retryAfterMs }: VerifierUnavailableError): string {
  return String(Number.isFinite(retryAfterMs) ? Math.max(1, Math.ceil(retryAfterMs / 1000)) : 1);
}

/** The properties where Express and Fastify store the pattern of the matched route. */
interface RoutedRequest {
  readonly method?: string;
  readonly route?: { readonly path?: unknown };
  readonly routeOptions?: { readonly url?: unknown };
}

/**
 * `GET /orders/:id`, or `OrdersController.find` if there is no single pattern. Never the URL of the request: the caller
 * chooses its path and query, and their length has no limit.
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
