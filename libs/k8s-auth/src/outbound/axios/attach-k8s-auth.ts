import { type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';
import { type TokensByOrigin } from '../k8s-auth-token-source.js';
import { sendAuthorized } from './authorized-request.js';
import { AxiosCopy } from './axios-copy.js';
import { Connections } from './connections.js';

/**
 * An axios instance of any copy of axios: the types that `require('axios')` has are not those that `import` has.
 * @publicApi
 */
export interface AttachableAxios {
  readonly interceptors: { readonly request: { use(...interceptor: never[]): number } };
  create(...config: never[]): unknown;
}

type Interceptor = (config: InternalAxiosRequestConfig) => InternalAxiosRequestConfig;

const attached = new WeakMap<AttachableAxios, WeakMap<TokensByOrigin, Interceptor>>();

/**
 * Makes an axios instance send this service's tokens to the destinations of `tokenSource`, and nowhere else. A second
 * call has no effect, unless the interceptor was removed in between.
 *
 * - No token is added to requests to other origins, to requests with credentials of their own (an `Authorization` header
 *   in any spelling, `auth`, a user name in the URL), with `socketPath` or `transport`, or with a `Host` header that names
 *   another host.
 * - A redirect keeps the token within the origin and never adds one, whatever adapter or `env.fetch` sends the request.
 * - After an answer of 401 the file is looked at immediately. If it holds another token, and the body can be sent again
 *   (text, bytes, a `Blob`, a form without streams), the request is repeated once.
 * - No proxy is used unless `proxy` is an object.
 * - Requests with a token leave by agents of the instance's own, or by those of the caller, never by the global ones.
 * - `signal`, `cancelToken` and `timeout` end the wait for the token file too. `timeout` starts anew when the request is
 *   sent.
 * - No response, error, stream or agent shows the token. In every other respect they are those of axios; what differs is
 *   listed in docs/calling.md.
 *
 * A request to a listed origin is not sent without a usable token: it fails with a {@link TokenSourceError}.
 * @param tokenSource a `K8sAuthTokenSource`, or an object with its `getToken`
 * @param axiosInstance an object without interceptors, such as a mock in a test, is left alone
 * @publicApi
 */
export function attachK8sAuth(axiosInstance: AttachableAxios, tokenSource: TokensByOrigin): void {
  const instance = axiosInstance as AxiosInstance;
  const request = (instance as Partial<AxiosInstance> | undefined)?.interceptors?.request;
  if (typeof request?.use !== 'function') return;
  const ours = attached.get(instance) ?? new WeakMap<TokensByOrigin, Interceptor>();
  const interceptor = ours.get(tokenSource) ?? makeInterceptor(instance, tokenSource);
  attached.set(instance, ours.set(tokenSource, interceptor));
  // `clear` and `eject` may have removed it.
  if (request.handlers?.some((handler) => handler?.fulfilled === interceptor)) return;
  request.use(interceptor, null, { synchronous: true });
}

/** @internal */
export function isAttached(axiosInstance: AttachableAxios): boolean {
  return attached.has(axiosInstance);
}

function makeInterceptor(instance: AxiosInstance, tokenSource: TokensByOrigin): Interceptor {
  const connections = new Connections();
  let axios: AxiosCopy | undefined;
  return (config) => {
    const { adapter } = config;
    // Interceptors that run after this one may still change the URL, so the origin is looked at in the adapter, which
    // is the last to see the config and the first to know where the request really goes.
    config.adapter = (finalConfig) => {
      // What the caller sees of it, and may send again, is the config as it was.
      finalConfig.adapter = adapter;
      axios ??= new AxiosCopy(instance);
      return sendAuthorized(finalConfig, { tokenSource, axios, connections });
    };
    return config;
  };
}
