import {
  type AxiosError,
  type AxiosInstance,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import { type TokensByOrigin } from '../k8s-auth-token-source.js';
import { discard, isForm } from '../request-body.js';
import { redact } from '../secrecy.js';
import { SentToken } from '../sent-token.js';
import { AgentRoute } from './agent-route.js';
import { AxiosCopy, rememberConfig } from './axios-copy.js';
import { change, Connections, proxyOf, restore, targetOf } from './connections.js';
import { concealDispatcher, guardedRedirect, hideToken } from './shown-config.js';
import { withAuthorization } from './token-agent.js';

type Config = InternalAxiosRequestConfig;

/**
 * An axios instance of any copy of axios. The types of `require('axios')` and of `import` are not compatible, so this type
 * is smaller than both.
 * @publicApi
 */
export interface AttachableAxios {
  readonly interceptors: { readonly request: { use(...interceptor: never[]): number } };
  create(...config: never[]): unknown;
}

type Interceptor = (config: Config) => Config;

const attached = new WeakMap<AttachableAxios, WeakMap<TokensByOrigin, Interceptor>>();

/**
 * Makes an axios instance send this service's tokens to the destinations of `tokenSource`, and to no other origin. A
 * second call has no effect, unless the interceptor was removed in between.
 *
 * - No token is added to a request to another origin, a request with its own credentials (an `Authorization` header in
 *   any case, `auth`, a user name in the URL), a request with `socketPath` or `transport`, or a request whose `Host`
 *   header names another host.
 * - A redirect within the origin keeps the token. A redirect never adds a token. Both hold for every adapter and every
 *   `env.fetch`.
 * - After a 401 the token file is checked immediately. If it contains another token, and the body can be sent again
 *   (text, bytes, a `Blob`, a form without streams), the request is repeated once.
 * - No proxy is used unless `proxy` is an object.
 * - Requests with a token use agents of this instance, or agents that the caller has set. They never use global agents.
 * - `signal`, `cancelToken` and `timeout` also end the wait for the token file. `timeout` starts again when the request is
 *   sent.
 * - No response, error, stream or agent shows the token. In every other respect they are the same as without this
 *   function; docs/calling.md lists the differences.
 *
 * A request to a destination is not sent without a usable token: it fails with a {@link TokenSourceError}.
 * @param tokenSource a `K8sAuthTokenSource`, or an object with its `getToken`
 * @param axiosInstance an object without interceptors, such as a mock in a test, is not changed
 * @publicApi
 */
export function attachK8sAuth(axiosInstance: AttachableAxios, tokenSource: TokensByOrigin): void {
  const instance = axiosInstance as AxiosInstance;
  const request = (instance as Partial<AxiosInstance> | undefined)?.interceptors?.request;
  if (typeof request?.use !== 'function') return;
  const ours = attached.get(instance) ?? new WeakMap<TokensByOrigin, Interceptor>();
  const interceptor = ours.get(tokenSource) ?? makeInterceptor(instance, tokenSource);
  attached.set(instance, ours.set(tokenSource, interceptor));
  // Attached before, but `clear` or `eject` may have removed the interceptor.
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
    // The origin is read in the adapter, not here, because later interceptors may still change the URL. The adapter gets
    // the final config.
    config.adapter = (finalConfig) => {
      // Restored, because the caller sees this config in the response and may send it again.
      finalConfig.adapter = adapter;
      axios ??= new AxiosCopy(instance);
      return sendAuthorized(finalConfig, { tokenSource, axios, connections });
    };
    return config;
  };
}

/** The token source that an axios instance is attached to, and what it needs to send requests. */
interface Attachment {
  readonly tokenSource: TokensByOrigin;
  readonly axios: AxiosCopy;
  readonly connections: Connections;
}

/** How one try ended. */
interface Outcome {
  readonly response?: AxiosResponse;
  /** Returns the response or throws the error, like the adapter. */
  readonly settle: () => AxiosResponse;
}

/**
 * Sends a request with the token of its origin, or unchanged if the origin is not a destination. A 401 may mean that the
 * token was replaced a moment ago: if the file now contains another token, and the body can be sent again, the request
 * is repeated once.
 * @throws {TokenSourceError} the origin is a destination and there is no usable token; nothing was sent
 * @throws {CanceledError} the request was cancelled, also while the file was read
 */
async function sendAuthorized(config: Config, attachment: Attachment): Promise<AxiosResponse> {
  const { tokenSource, axios } = attachment;
  const origin = targetOf(config, axios);
  concealDispatcher(config);
  if (origin === undefined) return axios.send(config);
  const token =
    tokenSource.peekToken?.(origin) ?? (await axios.waitFor(tokenSource.getToken(origin), config));
  if (token === undefined) return noteUnauthorized(axios.send(config), origin, tokenSource);

  const configAsItWas = rememberConfig(config);
  const sent = new SentToken(origin, token, Boolean(proxyOf(config)));
  const first = await sendOnce(config, config, sent, attachment);
  if (!sent.isRejectedBy(first.response?.status)) return first.settle();
  const renewed = await axios.waitFor(sent.renewed(tokenSource), config).catch((error: unknown) => {
    discard(first.response?.data);
    throw error;
  });
  const again = renewed && configAsItWas();
  if (!renewed || !again) return first.settle();
  discard(first.response?.data);
  return (await sendOnce(again, config, renewed, attachment)).settle();
}

/** @returns the same promise; a 401 of an origin that is not a destination is only reported */
function noteUnauthorized(
  sending: Promise<AxiosResponse>,
  origin: string,
  tokenSource: TokensByOrigin,
): Promise<AxiosResponse> {
  const note = (response: Partial<AxiosResponse> | undefined) =>
    response?.status === 401 && tokenSource.noteUnauthorized?.(origin);
  sending
    .then(note, (error: unknown) => note((Object(error) as Partial<AxiosError>).response))
    .catch(() => {});
  return sending;
}

/** @param shown the config that the caller sees in responses and errors */
async function sendOnce(
  config: Config,
  shown: Config,
  sent: SentToken,
  { axios, connections }: Attachment,
): Promise<Outcome> {
  const adapter = axios.httpAdapterOf(config);
  // The http adapter reads the config before `send` returns, with few exceptions. Other adapters get a copy, because the
  // caller may hold the config. It has no prototype, like the configs of axios, so that axios does not copy it again.
  const isCopied = !adapter || sent.usesProxy || Number(config.httpVersion ?? 1) !== 1 || isForm(config.data);
  const route = isCopied ? undefined : new AgentRoute(adapter, sent.origin);
  sent.isWithheld = route?.isKnown ?? false;
  const settings: Partial<Config> = {
    ...(!sent.isWithheld && { headers: withAuthorization(config.headers, sent.header) }),
    beforeRedirect: guardedRedirect(sent, config.beforeRedirect),
    ...connections.settingsFor(config, sent, adapter !== undefined),
  };
  const sentConfig = isCopied ? Object.assign(Object.create(null) as Config, config) : config;
  const replaced = change(sentConfig, settings);
  try {
    const sending = axios.send(sentConfig);
    route?.noteSent(sent);
    const restoring = () => restore(sentConfig, shown, replaced, settings, sent);
    // An agent has got the request, so the config has been read.
    const isRead = !isCopied && sent.hasReachedAgent;
    if (isRead) restoring();
    // Restored also later, because an error of a response stream that is read later shows this config.
    const response = await (isRead ? sending : sending.finally(restoring));
    route?.noteAnswered(sent);
    hideToken(response, shown, sent);
    return { response, settle: () => response };
  } catch (error) {
    if ((Object(error) as Partial<AxiosError>).response) route?.noteAnswered(sent);
    return failed(error, shown, sent);
  }
}

function failed(error: unknown, shown: Config, sent: SentToken): Outcome {
  const failure = Object(error) as Partial<AxiosError>;
  const { response } = failure;
  if (response) hideToken(response, shown, sent);
  hideToken(failure, shown, sent);
  redact(failure, sent.token, [shown, failure.request, response]);
  return {
    response,
    settle: () => {
      throw error;
    },
  };
}
