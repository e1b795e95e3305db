import { settleUnlessAborted } from '../../util/timers.js';
import { allowToken, isProxy } from '../carries-token.js';
import { parseHttpUrl } from '../destinations.options.js';
import { type TokensByOrigin } from '../k8s-auth-token-source.js';
import { OwnDispatcher } from '../own-dispatcher.js';
import { bodyOf, discard, isReusableBody } from '../request-body.js';
import { redact } from '../secrecy.js';
import { SentToken } from '../sent-token.js';
import { type Fetch, fetchAndFollow, isRequest, type RequestLike } from './follow-redirects.js';

/** Any function of the form of fetch. The types of Node, undici and node-fetch are not compatible. @publicApi */
export type AnyFetch = (input: never, init?: never) => Promise<unknown>;

/** Options that implementations of fetch for Node have in addition to the standard. */
type NodeInit = RequestInit & { readonly dispatcher?: unknown; readonly agent?: unknown };

/** The token source and the implementation of fetch that a created fetch uses. */
interface Binding {
  readonly tokenSource: TokensByOrigin;
  readonly fetch: Fetch;
  readonly ownDispatcher: OwnDispatcher;
}

/**
 * Creates a `fetch` that sends this service's tokens to the destinations of `tokenSource`, and to no other origin. It also
 * serves libraries that accept a `fetch`, such as ky.
 *
 * - No token is added to a request to another origin, a request with an `Authorization` header of the caller, or a request
 *   whose `Host` header names another host.
 * - A redirect within the origin keeps the token. A redirect never adds a token.
 * - After a 401 the token file is checked immediately. If it contains another token, and the body can be sent again (text,
 *   bytes, a `Blob`, a `FormData`; up to 1 MiB inside of a `Request` object), the request is repeated once.
 * - No proxy of the environment and no global dispatcher is used for a request with a token. A `dispatcher` or `agent` in
 *   the options is used; if its class is one of a proxy, a request to `http:` is sent without the token.
 * - `signal` also ends the wait for the token file.
 * - No request, response or error shows the token.
 *
 * A request to a destination is not sent without a usable token: it fails with a {@link TokenSourceError}.
 * @param tokenSource a `K8sAuthTokenSource`, or an object with its `getToken`
 * @param fetch the implementation that sends the requests; it gets the token. A proxy that it uses by itself gets the
 *   token too.
 * @default fetch: the global `fetch` at the time of each request
 * @publicApi
 */
export function createK8sAuthFetch<F extends AnyFetch = typeof globalThis.fetch>(
  tokenSource: TokensByOrigin,
  fetch?: F,
): F {
  const globalFetch: Fetch = (input, init) => globalThis.fetch(input, init);
  const binding: Binding = {
    tokenSource,
    fetch: (fetch as unknown as Fetch | undefined) ?? globalFetch,
    ownDispatcher: new OwnDispatcher(),
  };
  const made: Fetch = (input, init) => fetchAuthorized(input, init, binding);
  return made as unknown as F;
}

async function fetchAuthorized(
  input: string | URL | Request,
  init: NodeInit | undefined,
  binding: Binding,
): Promise<Response> {
  const { tokenSource, fetch } = binding;
  const origin = targetOf(input, init);
  if (origin === undefined) return fetch(input, init);
  const signal = init?.signal ?? (isRequest(input) ? input.signal : undefined);
  const wait = <T>(waiting: Promise<T>) => (signal ? settleUnlessAborted(signal, waiting) : waiting);
  const token = tokenSource.peekToken?.(origin) ?? (await wait(tokenSource.getToken(origin)));
  if (token === undefined) {
    const response = await fetch(input, init);
    if (response.status === 401) tokenSource.noteUnauthorized?.(origin);
    return response;
  }

  const request = requestOf(input, init);
  const data: unknown = isRequest(request) ? bodyOf(request) : request.body;
  const sent = new SentToken(origin, token);
  const response = await send(request, data, init, sent, binding);
  if (!sent.isRejectedBy(response.status)) return response;
  const body = await data;
  if (!isReusableBody(body)) return response;
  const renewed = await wait(sent.renewed(tokenSource)).catch((error: unknown) => {
    discard(response.body);
    throw error;
  });
  if (!renewed) return response;
  discard(response.body);
  const { url, method = 'GET', headers, redirect } = request;
  const again = { ...init, url, method, headers, redirect, body, signal } as RequestLike;
  return send(again, body, init, renewed, binding);
}

/** Sends one try. No error shows the token. */
async function send(
  request: RequestLike,
  data: unknown,
  init: NodeInit = {},
  sent: SentToken,
  { fetch, ownDispatcher }: Binding,
): Promise<Response> {
  const headers = Object.fromEntries(new Headers(request.headers));
  // Implementations on top of node:http ignore `dispatcher`, and by default use no proxy.
  const connection = async () => (init.dispatcher ? {} : { dispatcher: await ownDispatcher.get() });
  const route = { sent, connection, maxRedirects: undefined, data };
  try {
    return await fetchAndFollow(fetch, request, headers, isRequest(request) ? init : request, route);
  } catch (error) {
    redact(error, sent.token);
    throw error;
  }
}

/** The request that fetch would send. */
function requestOf(input: string | URL | Request, init: NodeInit | undefined): RequestLike {
  if (!isRequest(input)) return { ...init, url: new URL(input).href };
  const RequestClass = input.constructor as typeof Request;
  return init === undefined ? input : new RequestClass(input, init);
}

/**
 * The origin that a request goes to.
 * @returns `undefined` for a request that must not get a token, and for one that fetch rejects
 */
function targetOf(input: string | URL | Request, init: NodeInit | undefined): string | undefined {
  const url = parseHttpUrl(isRequest(input) ? input.url : String(input));
  if (!url || url.username !== '' || url.password !== '') return undefined;
  if (url.protocol === 'http:' && [init?.dispatcher, init?.agent].some(isProxy)) return undefined;
  try {
    const headers = new Headers(init?.headers ?? (isRequest(input) ? input.headers : undefined));
    return allowToken(headers, url.origin) ? url.origin : undefined;
  } catch {
    return undefined;
  }
}
