import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { type ExecutionContext } from '@nestjs/common';
import { InvalidTokenError, MalformedCredentialsError, MissingTokenError } from '../../errors.js';
import { B64TOKEN } from '../../util/syntax.js';
import { type CallerConnection } from '../../verifiers/verifier.js';

/** The used part of Node's IncomingMessage. A replacement for it, as in tests, may lack some properties. */
export interface NodeRequest {
  readonly headers: Record<string, string | string[] | undefined>;
  readonly headersDistinct?: Record<string, string[] | undefined>;
  readonly rawHeaders?: string[];
  /** The caller has aborted the request (HTTP/1 and HTTP/2). */
  readonly aborted?: boolean;
  readonly socket?: { readonly remoteAddress?: string | undefined; readonly destroyed?: boolean };
}

/**
 * The request object that Node created: Express extends that object, Fastify wraps it as `raw`. Everything that we store
 * about a request has this object as its key, so that a middleware, a guard and a hook use the same key.
 * @returns `undefined` if `request` is not an HTTP request
 * @internal
 */
export function nodeRequestOf(request: unknown): NodeRequest | undefined {
  const { rawHeaders, raw } = (request ?? {}) as { rawHeaders?: unknown; raw?: unknown };
  // `raw` comes last: Express does not define it, and a middleware may store a raw body under that name.
  if (Array.isArray(rawHeaders) && hasHeaders(request)) return request;
  if (hasHeaders(raw)) return raw;
  return hasHeaders(request) ? request : undefined;
}

function hasHeaders(value: unknown): value is NodeRequest {
  if (typeof value !== 'object' || value === null) return false;
  const { headers } = value as { headers?: unknown };
  return typeof headers === 'object' && headers !== null;
}

/** The same as `context.switchToHttp().getRequest()`, which creates three functions at each call. @internal */
export function requestOf(context: ExecutionContext): unknown {
  return context.getArgByIndex<unknown>(0);
}

/** Reads the connection only when a verifier asks, which most requests do not need. @internal */
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

const SCHEME_LENGTH = 'bearer'.length;

/**
 * RFC 9110 §11.1: the name of an authentication scheme is case-insensitive, and ends before the first character that a token
 * of §5.6.2 cannot have.
 */
const BEARER = /^bearer(?![!#$%&'*+\-.^_`|~0-9A-Za-z])/i;

/**
 * Reads the bearer token of a request, from the `Authorization` header only: tokens in a query or a form are stored in
 * logs and browser histories (RFC 9700 §4.3.2). It may contain any character: see {@link checkBearerSyntax}.
 * @throws {MissingTokenError} the header is absent or empty, or has another scheme than Bearer
 * @throws {MalformedCredentialsError} the header is repeated, or has no space after Bearer
 * @throws {InvalidTokenError} the token is longer than `maxTokenBytes`
 * @internal
 */
export function readBearerToken(request: unknown, maxTokenBytes: number): string {
  return tokenIn(readAuthorization(nodeRequestOf(request)), maxTokenBytes);
}

/**
 * Reads the bearer token from the value of an `Authorization` header.
 * @throws {MissingTokenError} the value is empty, or has another scheme than Bearer
 * @throws {MalformedCredentialsError} it has no space after Bearer
 * @throws {InvalidTokenError} the token is longer than `maxTokenBytes`
 * @internal
 */
export function tokenIn(credentials: string, maxTokenBytes: number): string {
  if (!BEARER.test(credentials)) throw new MissingTokenError('request has no bearer credentials');
  const start = endOfSpaces(credentials, SCHEME_LENGTH);
  // RFC 9110 §11.4: at least one space.
  if (start === SCHEME_LENGTH) throw new MalformedCredentialsError(NOT_ONE_TOKEN);
  const token = credentials.slice(start);
  if (token.length > maxTokenBytes) {
    checkBearerSyntax(token);
    throw new InvalidTokenError('MALFORMED', `token is longer than ${maxTokenBytes} bytes`);
  }
  return token;
}

const NOT_ONE_TOKEN = 'bearer credentials are not one b64token';

/**
 * Tells malformed credentials (400) from a refused token (401). Call it for a token that was refused: every token that a
 * verifier accepts has the stricter syntax of a JWT, and this check takes longer than finding a verdict in memory.
 * @throws {MalformedCredentialsError} the text is not exactly one b64token (RFC 6750 §2.1)
 * @internal
 */
export function checkBearerSyntax(token: string): void {
  if (!B64TOKEN.test(token)) throw new MalformedCredentialsError(NOT_ONE_TOKEN);
}

function readAuthorization(request: NodeRequest | undefined): string {
  if (!request) return '';
  // Own property only, because Node's headers inherit from Object.prototype.
  const value = Object.hasOwn(request.headers, 'authorization') ? request.headers.authorization : undefined;
  if (isRepeated(request.rawHeaders ?? []) || (Array.isArray(value) && value.length > 1))
    throw new MalformedCredentialsError('"authorization" header is repeated');
  return (Array.isArray(value) ? value[0] : value) ?? '';
}

/** If the header is repeated, Node's `headers` has only the first one. Only `rawHeaders` has all of them. */
function isRepeated(rawHeaders: readonly string[]): boolean {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (isAuthorization(rawHeaders[index])) count++;
  }
  return count > 1;
}

/** @returns the index of the first character from `start` on that is not a space */
function endOfSpaces(text: string, start: number): number {
  let end = start;
  while (text[end] === ' ') end++;
  return end;
}

/**
 * Removes the header from an accepted request, so that no handler, proxy or log after the guard can use the token
 * again. Node builds three views of the headers independently, so the header is removed from each of them.
 * @internal
 */
export function removeAuthorization(request: unknown): void {
  const node = nodeRequestOf(request);
  if (!node) return;
  const { headers, rawHeaders = [] } = node;
  delete headers.authorization;
  if (willBuildDistinct(node)) {
    removeFromPairs(rawHeaders);
    node[RAW_LENGTH] = rawHeaders.length;
  } else {
    // First, because reading `headersDistinct` may build it, from a list that must still have its original length.
    delete node.headersDistinct?.authorization;
    removeFromPairs(rawHeaders);
  }
  if (request !== node) removeFromWrapper(request as { headers?: Record<string, unknown> });
}

/**
 * The keys under which Node's request has `headersDistinct`, once that was read, and the length of `rawHeaders` that it is
 * built from. Building it only to remove one header takes longer than the rest of the guard. These keys are internals of
 * Node, so they are tried out. If they are not as expected, no request has the keys that are returned.
 */
function findInternalKeys(): { readonly distinct: symbol; readonly rawLength: symbol } {
  const probe = new IncomingMessage(new Socket()) as IncomingMessage & Record<symbol, unknown>;
  const keyOf = (isKey: (key: symbol) => boolean) => Object.getOwnPropertySymbols(probe).find(isKey);
  const rawLength = keyOf(({ description }) => description === 'kHeadersCount') ?? Symbol('unknown');
  probe.rawHeaders.push('Host', 'x', 'Beyond-The-Length', 'x');
  probe[rawLength] = 2;
  const view = probe.headersDistinct;
  const distinct = keyOf((key) => probe[key] === view);
  const isAsExpected = distinct !== undefined && Object.keys(view).join() === 'host';
  return isAsExpected ? { distinct, rawLength } : { distinct: Symbol('none'), rawLength: Symbol('none') };
}

const { distinct: DISTINCT, rawLength: RAW_LENGTH } = findInternalKeys();

/** Whether Node builds `headersDistinct` later, from what `rawHeaders` is then. */
function willBuildDistinct(node: NodeRequest): node is NodeRequest & Record<symbol, unknown> {
  const { [DISTINCT]: built, [RAW_LENGTH]: length } = node as NodeRequest & Record<symbol, unknown>;
  // A class of the user may build its own view.
  return !built && length === node.rawHeaders?.length && node.constructor === IncomingMessage;
}

/** Changes the array in place, because other code may hold a reference to it. */
function removeFromPairs(rawHeaders: string[]): void {
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2) {
    if (isAuthorization(rawHeaders[index])) rawHeaders.splice(index, 2);
  }
}

/** On each read, Fastify's request returns a copy of Node's headers, overridden by the headers that a hook assigned. */
function removeFromWrapper(request: { headers?: Record<string, unknown> }): void {
  if (request.headers?.authorization === undefined) return;
  const { authorization: _, ...others } = request.headers;
  request.headers = others;
}

/** Compares the length first: most names differ in it. Most clients write the name in one of two ways, which need no copy. */
function isAuthorization(name: string | undefined): boolean {
  if (name?.length !== 'authorization'.length) return false;
  return name === 'authorization' || name === 'Authorization' || name.toLowerCase() === 'authorization';
}
