import { type AxiosAdapter, AxiosHeaders, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { types } from 'node:util';
import { type K8sAuthTokenSource } from '../k8s-auth-token-source.js';
import { unlessAborted } from './aborted-wait.js';
import { RedirectGuard } from './redirects.js';
import { targetOf } from './request-target.js';
import { concealConnections, scrubError, scrubResponse } from './scrub.js';

/** How one try ended. */
interface Attempt {
  readonly status?: number;
  readonly hasLeftOrigin: boolean;
  readonly data: unknown;
  /** Gives the response or throws the error, as the adapter did. */
  readonly settle: () => AxiosResponse;
}

/**
 * Sends a request with the token of its origin, or as it is where there is none for it. An answer of 401 may only mean
 * that the token was replaced a moment ago: the file is read at once and, if it holds another token and the body can
 * be sent again, the request is repeated once.
 * @throws {TokenSourceError} the origin is listed and there is no token: nothing was sent
 * @throws {CanceledError} the request's `signal` fired, also while the file was read
 * @internal
 */
export async function sendAuthorized(
  adapter: AxiosAdapter,
  config: InternalAxiosRequestConfig,
  tokenSource: K8sAuthTokenSource,
): Promise<AxiosResponse> {
  const url = targetOf(config);
  if (!url) return adapter(config);
  const token =
    tokenSource.peekToken(url.origin) ?? (await unlessAborted(tokenSource.getToken(url.origin), config));
  if (token === undefined) return adapter(config);
  concealConnections(config);

  const first = await attempt(adapter, config, url, token);
  // A 401 of another origin says nothing about the token, which was not sent there.
  if (first.status !== 401 || first.hasLeftOrigin) return first.settle();
  const renewed = await unlessAborted(tokenSource.renewToken(url.origin, token), config);
  if (renewed === undefined || !canBeSentAgain(config.data)) return first.settle();
  discard(first.data);
  return (await attempt(adapter, config, url, renewed)).settle();
}

async function attempt(
  adapter: AxiosAdapter,
  config: InternalAxiosRequestConfig,
  url: URL,
  token: string,
): Promise<Attempt> {
  const redirects = new RedirectGuard(url.origin, token, config);
  const sentConfig = {
    ...config,
    headers: new AxiosHeaders(config.headers).set('Authorization', `Bearer ${token}`),
    beforeRedirect: redirects.beforeRedirect,
    // HTTP_PROXY would let a proxy read the token of a plain http request.
    proxy: config.proxy === undefined ? (false as const) : config.proxy,
  };
  const sent = { token, url, shownConfig: config, sentConfig };
  try {
    const response = await adapter(sentConfig);
    scrubResponse(response, sent);
    return {
      status: response.status,
      data: response.data,
      hasLeftOrigin: redirects.hasLeftOrigin,
      settle: () => response,
    };
  } catch (error) {
    scrubError(error, sent);
    const response = (error as { response?: AxiosResponse } | undefined)?.response;
    return {
      status: response?.status,
      data: response?.data,
      hasLeftOrigin: redirects.hasLeftOrigin,
      settle: () => {
        throw error;
      },
    };
  }
}

/** After transformRequest, which has made text of objects and forms; a stream can be read once. */
function canBeSentAgain(body: unknown): boolean {
  if (body === undefined || body === null || typeof body === 'string') return true;
  return types.isAnyArrayBuffer(body) || ArrayBuffer.isView(body);
}

/** An answer that nobody will read must not hold its connection. */
function discard(data: unknown): void {
  const { destroy, cancel } = (data ?? {}) as { destroy?: unknown; cancel?: unknown };
  if (typeof destroy === 'function') destroy.call(data);
  else if (typeof cancel === 'function') void Promise.resolve(cancel.call(data)).catch(() => {});
}
