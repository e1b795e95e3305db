import { parseHttpUrl } from '../destinations.options.js';
import { discard, isReusableBody } from './axios-copy.js';
import { type SentToken } from './sent-token.js';

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** The argument that axios passes to fetch: a request, or a URL and options if `env.Request` is `null`. */
type RequestLike = Request | (RequestInit & { readonly url: string });

/** What our fetch needs to know about a request with a token. */
export interface FetchRoute {
  readonly sent: SentToken;
  /** Returns further options for fetch: the dispatcher or agent to use. */
  readonly connection: () => Promise<object>;
  /**
   * Maximum number of redirects. 0 or omitted: 20, as in the Fetch standard. With 0, axios 1.18 and later ask fetch to return
   * redirects to the caller, and earlier versions ignore the number.
   */
  readonly maxRedirects: number | undefined;
  /** The original body. A redirect with 307 or 308 sends it again, unless it can be read only once. */
  readonly data: unknown;
}

/** The key of the {@link FetchRoute} in `fetchOptions`, which axios passes to fetch. @internal */
export const FETCH_ROUTE = 'k8sAuthRoute';

type Body = NonNullable<RequestInit['body']>;

/** One request in a chain of redirects. */
interface Hop {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly hasBody: boolean;
}

// The redirect statuses of the Fetch standard, and the headers that its "HTTP-redirect fetch" removes.
const REDIRECT_STATUSES = [301, 302, 303, 307, 308];
const HEADERS_OF_BODY = [
  'content-encoding',
  'content-language',
  'content-location',
  'content-type',
  'content-length',
];
const HEADERS_OF_ORIGIN = ['authorization', 'proxy-authorization', 'cookie', 'host'];
const MAX_REDIRECTS = 20;

const wrapped = new WeakMap<Fetch, Fetch>();

/**
 * Wraps an implementation of fetch: adds the token and follows redirects itself, because not every implementation drops
 * the header when the origin changes. No object that the caller can reach holds the token.
 *
 * Each implementation is wrapped once, because axios keeps an adapter for every fetch function that it has seen.
 * @internal
 */
export function fetchWithToken(fetch: Fetch): Fetch {
  const known = wrapped.get(fetch);
  if (known) return known;
  const made: Fetch = (input, init = {}) => {
    const { [FETCH_ROUTE]: route, ...options } = init as RequestInit & { [FETCH_ROUTE]?: FetchRoute };
    const request = isRequest(input) ? input : { ...options, url: input.toString() };
    const { authorization, ...headers } = Object.fromEntries(new Headers(request.headers));
    // An adapter of the caller may have removed the token, or set other credentials.
    if (!route || authorization !== route.sent.header) return fetch(input, options);
    // The caller sees this request as `response.request`. The request that is sent is not visible to other code.
    if (isRequest(request)) request.headers.delete('authorization');
    route.sent.isWithheld = true;
    return follow(fetch, request, headers, options, route);
  };
  wrapped.set(fetch, made);
  return made;
}

/** @throws {TypeError} a redirect cannot be followed; the error is the same as that of Node's fetch */
async function follow(
  fetch: Fetch,
  request: RequestLike,
  headers: Hop['headers'],
  options: RequestInit,
  { sent, connection, maxRedirects, data }: FetchRoute,
): Promise<Response> {
  const { url, method = 'GET', signal = null } = request;
  const mode = options.redirect ?? request.redirect;
  const limit = Math.min(maxRedirects || MAX_REDIRECTS, MAX_REDIRECTS);
  const common: RequestInit = { ...(await connection()), ...options, signal, redirect: 'manual' };

  let hop: Hop = { url, method, headers, hasBody: Boolean(request.body) };
  let response = await (isRequest(request) && request.body
    ? fetch(copyOf(request, headersWithToken(hop, sent)), common)
    : fetch(url, { ...common, method, headers: headersWithToken(hop, sent) }));
  for (let redirects = 0; ; redirects++) {
    assertNotFollowed(response, hop);
    const location = mode === 'manual' ? undefined : locationOf(response);
    if (location === undefined) return response;
    discard(response.body);
    if (mode === 'error') throw networkError('unexpected redirect');
    if (redirects >= limit) throw networkError('redirect count exceeded');
    hop = withRepeatedBody(nextHop(hop, response.status, location), data);
    const { url, method } = hop;
    const body = hop.hasBody ? (data as Body) : null;
    response = await fetch(url, { ...common, method, headers: headersWithToken(hop, sent), body });
  }
}

function isRequest(input: string | URL | RequestLike): input is Request {
  return typeof input === 'object' && 'clone' in input;
}

/**
 * Prepares a hop that sends the body again. The body is created from the caller's data, because a copy of the sent body
 * would keep all of it in memory.
 * @throws {TypeError} the data can be read only once
 */
function withRepeatedBody(hop: Hop, data: unknown): Hop {
  if (!hop.hasBody) return hop;
  if (!isReusableBody(data)) throw networkError('a redirect requires the body again, but it was a stream');
  // A form gets a new boundary each time it is sent, and its content type names the boundary.
  const isForm = Object.prototype.toString.call(data) === '[object FormData]';
  return isForm ? { ...hop, headers: without(hop.headers, ['content-type']) } : hop;
}

function headersWithToken({ url, headers }: Hop, sent: SentToken): Record<string, string> {
  return sent.mayGoTo(parseHttpUrl(url)?.origin) ? { ...headers, authorization: sent.header } : headers;
}

/** Uses the class of the given request: `env.Request` may have set a class that fits the implementation of fetch. */
function copyOf(request: Request, headers: Record<string, string>): Request {
  const RequestClass = request.constructor as typeof Request;
  return new RequestClass(request, { headers, redirect: 'manual' });
}

/** Fails if the implementation has followed a redirect despite `redirect: 'manual'`: it may have sent the token to any server. */
function assertNotFollowed(response: Response, { url }: Hop): void {
  const isElsewhere = response.url && withoutHash(response.url) !== withoutHash(url);
  if (!response.redirected && !isElsewhere) return;
  discard(response.body);
  throw new Error(
    'this fetch follows redirects although "redirect" is "manual": it cannot be used with a token',
  );
}

function withoutHash(url: string): string {
  return new URL(url).href.replace(/#.*$/, '');
}

/**
 * @returns the location that a response redirects to, or `undefined` if it is not a redirect
 * @throws {TypeError} the implementation hides the location, as browsers do
 */
function locationOf({ status, headers, type }: Response): string | undefined {
  if (type === 'opaqueredirect') throw networkError('the location of a redirect is hidden');
  return (REDIRECT_STATUSES.includes(status) ? headers.get('location') : undefined) ?? undefined;
}

/**
 * The request that follows a redirect, by the Fetch standard.
 * @throws {TypeError} the location cannot be followed
 */
function nextHop(hop: Hop, status: number, location: string): Hop {
  const url = parseHttpUrl(location, hop.url);
  if (!url) throw networkError('invalid redirect URL');
  const isElsewhere = url.origin !== new URL(hop.url).origin;
  if (isElsewhere && (url.username || url.password)) throw networkError('redirect URL with credentials');
  url.username = url.password = '';
  const headers = isElsewhere ? without(hop.headers, HEADERS_OF_ORIGIN) : hop.headers;
  const becomesGet =
    status === 303 ? !/^(GET|HEAD)$/.test(hop.method) : status < 303 && hop.method === 'POST';
  return becomesGet
    ? { url: url.href, method: 'GET', headers: without(headers, HEADERS_OF_BODY), hasBody: false }
    : { ...hop, url: url.href, headers };
}

/** A network error in the form of Node's fetch, which axios recognizes. */
function networkError(reason: string): TypeError {
  return new TypeError('fetch failed', { cause: new Error(reason) });
}

function without(headers: Hop['headers'], names: readonly string[]): Hop['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}
