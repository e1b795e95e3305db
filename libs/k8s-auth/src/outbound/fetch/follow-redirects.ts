import { parseHttpUrl } from '../destinations.options.js';
import { discard, isReusableBody } from '../request-body.js';
import { type SentToken } from '../sent-token.js';
import { type Hop, locationOf, networkError, nextHop, without } from './hop.js';

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** The argument of fetch: a request, or a URL and options. */
export type RequestLike = Request | (RequestInit & { readonly url: string });

/** A request with a token. */
export interface FetchRoute {
  readonly sent: SentToken;
  /** Returns further options for fetch: the dispatcher or agent to use. */
  readonly connection: () => Promise<object>;
  /**
   * Maximum number of redirects. 0 or omitted: 20, as in the Fetch standard. With 0, axios 1.18 and later ask fetch to return
   * redirects to the caller, and earlier versions ignore the number.
   */
  readonly maxRedirects: number | undefined;
  /** The original body, or a promise of it. A redirect with 307 or 308 sends it again, unless it can be read only once. */
  readonly data: unknown;
}

type Body = NonNullable<RequestInit['body']>;

const MAX_REDIRECTS = 20;

/**
 * Sends a request with a token through any implementation of fetch, and follows redirects itself, because not every
 * implementation drops the header when the origin changes.
 * @param headers the headers of the request without `authorization`, with names in lower case
 * @throws {TypeError} a redirect cannot be followed; the error is the same as that of Node's fetch
 * @internal
 */
export async function fetchAndFollow(
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
    if (location === undefined) return redirects === 0 ? response : markRedirected(response);
    discard(response.body);
    if (mode === 'error') throw networkError('unexpected redirect');
    if (redirects >= limit) throw networkError('redirect count exceeded');
    const next = nextHop(hop, response.status, location);
    const body = next.hasBody ? await data : null;
    hop = withRepeatedBody(next, body);
    response = await fetch(hop.url, {
      ...common,
      method: hop.method,
      headers: headersWithToken(hop, sent),
      body: body as Body,
    });
  }
}

/** Whether the argument of fetch is a request, of any implementation of fetch. @internal */
export function isRequest(input: string | URL | RequestLike): input is Request {
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
  const isFormData = Object.prototype.toString.call(data) === '[object FormData]';
  return isFormData ? { ...hop, headers: without(hop.headers, ['content-type']) } : hop;
}

function headersWithToken({ url, headers }: Hop, sent: SentToken): Record<string, string> {
  return sent.mayGoTo(parseHttpUrl(url)?.origin) ? { ...headers, authorization: sent.header } : headers;
}

/** Uses the class of the given request: the caller may have set a class that fits the implementation of fetch. */
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

/** The response says that it was redirected, as if the implementation had followed the redirects. */
function markRedirected(response: Response): Response {
  const clone = () => markRedirected(Response.prototype.clone.call(response));
  const isOwnClass = response instanceof Response;
  return Object.defineProperties(response, {
    redirected: { value: true, configurable: true },
    ...(isOwnClass && { clone: { value: clone, configurable: true, writable: true } }),
  });
}
