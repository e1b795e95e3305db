import { InvalidTokenError, MalformedCredentialsError, MissingTokenError } from '../../errors.js';
import { B64TOKEN } from '../../util/syntax.js';
import { type CallerConnection } from '../../verifiers/verifier.js';

/** What is used of Node's IncomingMessage, or of an exotic stand-in that may lack parts of it. */
export interface NodeRequest {
  readonly headers: Record<string, string | string[] | undefined>;
  readonly headersDistinct?: Record<string, string[] | undefined>;
  readonly rawHeaders?: string[];
  /** Of HTTP/1 and HTTP/2: the request was given up by its caller. */
  readonly aborted?: boolean;
  readonly socket?: { readonly remoteAddress?: string | undefined; readonly destroyed?: boolean };
}

/**
 * The request as Node made it: Express extends that object, Fastify wraps it as `raw`. What is remembered about a
 * request is remembered about this object, so that a middleware, a guard and a hook speak of the same one.
 * @returns `undefined` for what is no HTTP request
 * @internal
 */
export function nodeRequestOf(request: unknown): NodeRequest | undefined {
  // `raw` last: on Express it is nobody's, and a middleware may keep a raw body under that name.
  if (hasHeaders(request) && Array.isArray(request.rawHeaders)) return request;
  const raw = (request as { raw?: unknown } | undefined)?.raw;
  if (hasHeaders(raw)) return raw;
  return hasHeaders(request) ? request : undefined;
}

function hasHeaders(value: unknown): value is NodeRequest {
  if (typeof value !== 'object' || value === null) return false;
  const { headers } = value as { headers?: unknown };
  return typeof headers === 'object' && headers !== null;
}

/** Read when somebody asks: most requests are answered before. @internal */
export class RequestConnection implements CallerConnection {
  constructor(private readonly request: unknown) {}

  get address(): string {
    return nodeRequestOf(this.request)?.socket?.remoteAddress ?? '';
  }

  isClosed(): boolean {
    const node = nodeRequestOf(this.request);
    return node?.aborted === true || node?.socket?.destroyed === true;
  }
}

/** A token of RFC 9110 §5.6.2, which is what names an authentication scheme (§11.1). */
const SCHEME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+/;

/**
 * Reads the one credential of a request. Only the `Authorization` header counts: tokens in a query or a form end up
 * in logs and histories (RFC 9700 §4.3.2).
 * @throws {MissingTokenError} no header, an empty one, or another scheme than Bearer
 * @throws {MalformedCredentialsError} the header is there twice, or Bearer is followed by anything but one b64token
 * @throws {InvalidTokenError} the token is longer than `maxTokenBytes`
 * @internal
 */
export function readBearerToken(request: unknown, maxTokenBytes: number): string {
  const credentials = readAuthorization(nodeRequestOf(request));
  const scheme = SCHEME.exec(credentials)?.[0];
  // RFC 9110 §11.1: schemes are compared without regard to case.
  if (scheme?.toLowerCase() !== 'bearer') throw new MissingTokenError('request has no bearer credentials');
  const token = withoutLeadingSpaces(credentials.slice(scheme.length));
  if (token === undefined || !B64TOKEN.test(token))
    throw new MalformedCredentialsError('bearer credentials are not one b64token');
  if (token.length > maxTokenBytes)
    throw new InvalidTokenError('MALFORMED', `token is longer than ${maxTokenBytes} bytes`);
  return token;
}

function readAuthorization(request: NodeRequest | undefined): string {
  // Node's `headers` keeps the first of several and drops the others silently: only `rawHeaders` has them all.
  const names = (request?.rawHeaders ?? []).filter((_, index) => index % 2 === 0);
  // Own, because Node's headers inherit from Object.prototype.
  const value =
    request && Object.hasOwn(request.headers, 'authorization') ? request.headers.authorization : undefined;
  if (names.filter(isAuthorization).length > 1 || (Array.isArray(value) && value.length > 1))
    throw new MalformedCredentialsError('"authorization" header is repeated');
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

/** `1*SP`: spaces only, at least one. */
function withoutLeadingSpaces(text: string): string | undefined {
  let start = 0;
  while (text[start] === ' ') start++;
  return start === 0 ? undefined : text.slice(start);
}

/**
 * Takes the header off an accepted request, so that no handler, proxy or log behind the guard can use the token
 * again. Node builds its three views of the headers independently: each has to lose it.
 * @internal
 */
export function takeAuthorizationOff(request: unknown): void {
  const node = nodeRequestOf(request);
  if (!node) return;
  // Reading a view builds it if nobody has yet: so both are built from `rawHeaders` before that loses the header.
  delete node.headers.authorization;
  delete node.headersDistinct?.authorization;
  removeFromPairs(node.rawHeaders ?? []);
  removeFromWrapper(request as { headers?: Record<string, unknown> });
}

/** In place: the array is the one that everybody else holds. */
function removeFromPairs(rawHeaders: string[]): void {
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2) {
    if (isAuthorization(rawHeaders[index])) rawHeaders.splice(index, 2);
  }
}

/** Fastify's request merges headers that a hook assigned over Node's, in a copy made at each read. */
function removeFromWrapper(request: { headers?: Record<string, unknown> }): void {
  if (request.headers?.authorization === undefined) return;
  const { authorization: _, ...others } = request.headers;
  request.headers = others;
}

function isAuthorization(name: string | undefined): boolean {
  return name?.toLowerCase() === 'authorization';
}
