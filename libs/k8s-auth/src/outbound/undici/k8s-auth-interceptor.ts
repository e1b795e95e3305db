import { settleUnlessAborted } from '../../util/timers.js';
import { allowToken, isNamed } from '../carries-token.js';
import { parseHttpUrl } from '../destinations.options.js';
import { type TokensByOrigin } from '../k8s-auth-token-source.js';
import { isReusableBody } from '../request-body.js';
import { SentToken } from '../sent-token.js';
import { type AnyHandler, failUnsent } from './handlers.js';
import { handlerWith } from './rejection-handlers.js';
import { Rejection } from './rejection.js';

/** The `dispatch` method of any version of undici. @publicApi */
export type AnyDispatch = (options: never, handler: never) => boolean;

/** A request of undici, as its interceptors get it. */
interface DispatchOptions {
  readonly origin?: string | URL | null;
  readonly method?: string;
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly signal?: unknown;
}

type Dispatch = (options: DispatchOptions, handler: AnyHandler) => boolean;

/**
 * An interceptor for undici 6 and 7 that sends this service's tokens to the destinations of `tokenSource`, and to no
 * other origin:
 *
 * ```ts
 * const dispatcher = new Agent().compose(k8sAuthInterceptor(tokenSource));
 * await request('http://orders.shop.svc/', { dispatcher });
 * ```
 *
 * - No token is added to a request to another origin, a request with an `Authorization` header of the caller, a request
 *   whose `Host` header names another host, or a request without `origin`, such as one of a `Client` or `Pool`.
 * - A redirect within the origin keeps the token. A redirect never adds a token. Put this interceptor last in `compose`,
 *   after `interceptors.redirect` and `interceptors.retry`.
 * - Requests of `fetch` get no token from a dispatcher, because a dispatcher cannot distinguish a redirect of fetch from a
 *   new request. Use {@link createK8sAuthFetch}.
 * - After a 401 the token file is checked immediately. If it contains another token, and the body can be sent again (text,
 *   bytes, a `FormData`), the request is repeated once.
 * - The requests use the dispatcher that you compose. If it is one of a proxy, a proxy for `http:` gets the token. The
 *   global dispatcher may be one of a proxy that the environment names.
 * - A `signal` also ends the wait for the token file. No response or error shows the token.
 *
 * A request to a destination is not sent without a usable token: it fails with a {@link TokenSourceError}.
 * @param tokenSource a `K8sAuthTokenSource`, or an object with its `getToken`
 * @publicApi
 */
export function k8sAuthInterceptor(tokenSource: TokensByOrigin): <D extends AnyDispatch>(dispatch: D) => D {
  // A handler for which a second request is dispatched follows a redirect, or retries.
  const firstOrigins = new WeakMap<AnyHandler, string | undefined>();
  return <D extends AnyDispatch>(given: D) => {
    const dispatch = given as unknown as Dispatch;
    const intercept: Dispatch = (options, handler) => {
      const origin = targetOf(options);
      const caller = callerOf(handler);
      const isFirst = !firstOrigins.has(caller);
      const mayCarry = origin !== undefined && (isFirst || firstOrigins.get(caller) === origin);
      // After a redirect to another origin no later request gets a token, even if a redirect leads back.
      firstOrigins.set(caller, mayCarry ? origin : undefined);
      return mayCarry
        ? dispatchAuthorized(options, handler, { dispatch, tokenSource, origin })
        : dispatch(options, handler);
    };
    return intercept as unknown as D;
  };
}

/** The handler of the caller, which the interceptors for redirects and retries keep in their own handlers. */
function callerOf(handler: AnyHandler): AnyHandler {
  const { handler: inner } = handler as { handler?: AnyHandler };
  return typeof inner === 'object' && inner !== null ? callerOf(inner) : handler;
}

interface Target {
  readonly dispatch: Dispatch;
  readonly tokenSource: TokensByOrigin;
  readonly origin: string;
}

function dispatchAuthorized(options: DispatchOptions, handler: AnyHandler, target: Target): boolean {
  const { tokenSource, origin, dispatch } = target;
  const known = tokenSource.peekToken?.(origin);
  if (known !== undefined) return send(options, handler, new SentToken(origin, known), target);
  const signal = options.signal instanceof AbortSignal ? options.signal : undefined;
  const reading = tokenSource.getToken(origin);
  void (signal ? settleUnlessAborted(signal, reading) : reading)
    .then((token) =>
      token === undefined
        ? dispatch(options, handler)
        : send(options, handler, new SentToken(origin, token), target),
    )
    .catch((error: unknown) => failUnsent(handler, error as Error));
  return true;
}

function send(options: DispatchOptions, handler: AnyHandler, sent: SentToken, target: Target): boolean {
  const repeat = async () => {
    const renewed = await sent.renewed(target.tokenSource);
    return renewed && (() => void send(options, handler, renewed, target));
  };
  const rejection = new Rejection(sent, isReusableBody(options.body) ? repeat : undefined);
  const headers = withHeader(options.headers, sent.header);
  return target.dispatch({ ...options, headers }, handlerWith(rejection, handler));
}

/** The origin that a request goes to, or `undefined` for a request that must not get a token. */
function targetOf({ origin: given, method, headers }: DispatchOptions): string | undefined {
  const url = given ? parseHttpUrl(String(given)) : undefined;
  if (!url || url.username !== '' || url.password !== '' || method === 'CONNECT') return undefined;
  const entries = entriesOf(headers);
  const isOfFetch = entries.some(([name]) => isNamed(name, 'sec-fetch-mode'));
  return !isOfFetch && allowToken(entries, url.origin) ? url.origin : undefined;
}

/** undici accepts an object, an iterable of pairs, and a list in which names and values alternate. */
function entriesOf(headers: unknown): [name: string, value: unknown][] {
  if (typeof headers !== 'object' || headers === null) return [];
  const isFlat = Array.isArray(headers) && !Array.isArray(headers[0]);
  if (isFlat)
    return headers.flatMap((name: unknown, index) =>
      index % 2 === 0 ? [[String(name), headers[index + 1] as unknown]] : [],
    );
  if (!(Symbol.iterator in headers)) return Object.entries(headers);
  const pairs = [...(headers as Iterable<unknown>)].filter((pair) => Array.isArray(pair));
  return pairs.map(([name, value]: unknown[]) => [String(name), value]);
}

function withHeader(headers: unknown, authorization: string): unknown {
  const isPlain = typeof headers === 'object' && headers !== null && !(Symbol.iterator in headers);
  return isPlain
    ? { ...headers, authorization }
    : entriesOf(headers)
        .concat([['authorization', authorization]])
        .flat();
}
