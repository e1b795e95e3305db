import {
  type AxiosError,
  type AxiosInstance,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import { type TokensByOrigin } from '../k8s-auth-token-source.js';
import { AxiosCopy, rememberConfig } from './axios-copy.js';
import { concealDispatcher, Connections, proxyOf, targetOf } from './connections.js';
import { discard, guardedRedirect, hideToken, redact, restore, SentToken } from './sent-token.js';

type Config = InternalAxiosRequestConfig;

/**
 * An axios instance of any copy of axios: the types that `require('axios')` has are not those that `import` has.
 * @publicApi
 */
export interface AttachableAxios {
  readonly interceptors: { readonly request: { use(...interceptor: never[]): number } };
  create(...config: never[]): unknown;
}

type Interceptor = (config: Config) => Config;

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

/** What an axios instance was attached to, and what it sends by. */
interface Attachment {
  readonly tokenSource: TokensByOrigin;
  readonly axios: AxiosCopy;
  readonly connections: Connections;
}

/** How one try ended. */
interface Outcome {
  readonly response?: AxiosResponse;
  readonly hasLeftOrigin: boolean;
  /** Gives the response or throws the error, as the adapter did. */
  readonly settle: () => AxiosResponse;
}

/**
 * Sends a request with the token of its origin, or as it is where there is none for it. An answer of 401 may only mean
 * that the token was replaced a moment ago: if the file holds another token by now, and the body can be sent again, the
 * request is repeated once.
 * @throws {TokenSourceError} the origin is listed and there is no token: nothing was sent
 * @throws {CanceledError} the request was cancelled, also while the file was read
 */
async function sendAuthorized(config: Config, attachment: Attachment): Promise<AxiosResponse> {
  const { tokenSource, axios } = attachment;
  const origin = targetOf(config, axios);
  concealDispatcher(config);
  if (origin === undefined) return axios.send(config);
  const token =
    tokenSource.peekToken?.(origin) ?? (await axios.waitFor(tokenSource.getToken(origin), config));
  if (token === undefined) return axios.send(config);

  const configAsItWas = rememberConfig(config);
  const usesProxy = Boolean(proxyOf(config));
  const first = await sendOnce(config, config, new SentToken(origin, token, usesProxy), attachment);
  // A 401 of another origin says nothing about the token, which was not sent there.
  if (first.response?.status !== 401 || first.hasLeftOrigin) return first.settle();
  const renewing = Promise.resolve(tokenSource.renewToken?.(origin, token));
  const renewed = await axios.waitFor(renewing, config).catch((error: unknown) => {
    discard(first.response?.data);
    throw error;
  });
  const again = renewed === undefined ? undefined : configAsItWas();
  if (renewed === undefined || !again) return first.settle();
  discard(first.response.data);
  return (await sendOnce(again, config, new SentToken(origin, renewed, usesProxy), attachment)).settle();
}

/** @param shown what the caller sees as the config, in responses and in errors */
async function sendOnce(
  config: Config,
  shown: Config,
  sent: SentToken,
  { axios, connections }: Attachment,
): Promise<Outcome> {
  const settings: Partial<Config> = {
    headers: config.headers.concat({ Authorization: sent.header }),
    beforeRedirect: guardedRedirect(sent, config.beforeRedirect),
    ...connections.settingsFor(config, sent),
  };
  // Without a prototype, as axios makes its configs, so that it takes this one and no copy.
  const sentConfig = Object.assign(Object.create(null) as Config, config, settings);
  // An error of a stream that is read later shows this config.
  const sending = axios.send(sentConfig).finally(() => restore(sentConfig, shown, settings, sent));
  try {
    const response = await sending;
    hideToken(response, shown, sent);
    return { response, hasLeftOrigin: sent.hasLeftOrigin, settle: () => response };
  } catch (error) {
    const failure = Object(error) as Partial<AxiosError>;
    const { response } = failure;
    if (response) hideToken(response, shown, sent);
    hideToken(failure, shown, sent);
    redact(failure, sent.token, [shown, failure.request, response]);
    return {
      response,
      hasLeftOrigin: sent.hasLeftOrigin,
      settle: () => {
        throw error;
      },
    };
  }
}
