import { type AxiosInstance, getAdapter } from 'axios';
import { type K8sAuthTokenSource } from '../k8s-auth-token-source.js';
import { sendAuthorized } from './authorized-request.js';

const attachedSources = new WeakMap<AxiosInstance, WeakSet<K8sAuthTokenSource>>();

/**
 * Makes an axios instance send this service's tokens to the destinations of `tokenSource`, and nowhere else. Doing it
 * twice is the same as doing it once.
 *
 * - Left alone: requests to other origins, and those with credentials of their own (an `Authorization` header in any
 *   spelling, `auth`, a user name in the URL) or with `socketPath` or `transport`.
 * - A redirect keeps the token within the origin and never adds one.
 * - Answered with 401, the file is read at once; if it holds another token, and the body is text or bytes, the request
 *   is repeated once.
 * - Requests with a token do not use `HTTP_PROXY` and its kin unless `proxy` is set.
 * - `signal` covers the whole request, reading the file included; `timeout` is of each try and begins when it is sent.
 * - Responses and errors show a description in place of the live `request`, and never the token.
 *
 * A request to a listed origin without a usable token is not sent: it fails with a {@link TokenSourceError}.
 * @publicApi
 */
export function attachK8sAuth(axiosInstance: AxiosInstance, tokenSource: K8sAuthTokenSource): void {
  const attached = attachedSources.get(axiosInstance) ?? new WeakSet();
  if (attached.has(tokenSource)) return;
  attachedSources.set(axiosInstance, attached.add(tokenSource));

  axiosInstance.interceptors.request.use(
    (config) => {
      const { adapter } = config;
      // Interceptors that run after this one may still change the URL, so the origin is looked at in the adapter,
      // which is the last to see the config and the first to know where the request really goes.
      config.adapter = (finalConfig) => {
        // What the caller sees of it, and may send again, is the config as it was.
        finalConfig.adapter = adapter;
        return sendAuthorized(getAdapter(adapter, finalConfig), finalConfig, tokenSource);
      };
      return config;
    },
    null,
    { synchronous: true },
  );
}
