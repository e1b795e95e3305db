import { type InternalAxiosRequestConfig } from 'axios';
import http, { type Agent as HttpAgent, type AgentOptions } from 'node:http';
import https from 'node:https';
import { allowToken, isProxy } from '../carries-token.js';
import { parseHttpUrl } from '../destinations.options.js';
import { type FetchRoute } from '../fetch/follow-redirects.js';
import { OwnDispatcher } from '../own-dispatcher.js';
import { type SentToken } from '../sent-token.js';
import { type AxiosCopy } from './axios-copy.js';
import { fetchOptionsOf, realDispatcherOf } from './shown-config.js';
import { agentWithToken, withAuthorization } from './token-agent.js';
import { FETCH_ROUTE, fetchWithToken } from './token-fetch.js';

type Config = InternalAxiosRequestConfig;

/** With `proxyEnv`, Node sends the agent's requests to the proxy that the environment names. */
type AgentSettings = AgentOptions & { readonly proxyEnv?: unknown };
type AnyAgent = HttpAgent & { readonly options?: AgentSettings };
/** `false`, as in node:http: an agent for a single request. */
type GivenAgent = AnyAgent | false | null | undefined;

/**
 * The agents and the dispatcher for requests with a token. Each attached instance has its own, because the global ones
 * share their sockets with all code in the process, and may send requests to the proxy that the environment names.
 * @internal
 */
export class Connections {
  /** Our agents, by the agent whose settings they copy. */
  readonly #agents = new WeakMap<AnyAgent, HttpAgent>();
  readonly #ownDispatcher = new OwnDispatcher();

  /**
   * The parts of a config that send the token to its destination and to no other server.
   * @param isHttp whether it is certain that the request does not use fetch
   */
  settingsFor(config: Config, sent: SentToken, isHttp: boolean): Partial<Config> {
    const httpAgent = this.#agentFor(http, config.httpAgent as GivenAgent);
    const httpsAgent = this.#agentFor(https, config.httpsAgent as GivenAgent);
    const settings = {
      proxy: proxyOf(config),
      httpAgent: agentWithToken(httpAgent, sent),
      httpsAgent: agentWithToken(httpsAgent, sent),
    };
    if (isHttp) return settings;
    const { dispatcher, ...fetchOptions } = fetchOptionsOf(config);
    // In a function, because a dispatcher holds the headers of its requests, and the config may be printed.
    // Implementations of fetch on top of node:http use `agent` instead.
    const connection = async () => ({
      dispatcher: dispatcher ?? (await this.#ownDispatcher.get()),
      agent: ({ protocol }: URL) => (protocol === 'https:' ? httpsAgent : httpAgent),
    });
    const { env, maxRedirects } = config;
    const route: FetchRoute = { sent, connection, maxRedirects, data: config.data as unknown };
    return {
      ...settings,
      env: { ...env, fetch: fetchWithToken(env?.fetch ?? globalThis.fetch) },
      fetchOptions: { ...fetchOptions, [FETCH_ROUTE]: route },
    };
  }

  /** The caller's agent, unless it is the global one or would use a proxy of the environment. */
  #agentFor({ Agent, globalAgent }: typeof http | typeof https, given: GivenAgent): HttpAgent {
    if (given === false) return new Agent();
    const model: AnyAgent = given ?? globalAgent;
    if (model !== globalAgent && !model.options?.proxyEnv) return model;
    const known = this.#agents.get(model);
    if (known) return known;
    const { options, maxSockets, maxFreeSockets, maxTotalSockets } = model;
    const settings: AgentSettings = {
      ...options,
      maxSockets,
      maxFreeSockets,
      maxTotalSockets,
      proxyEnv: undefined,
    };
    const made = new Agent(settings);
    this.#agents.set(model, made);
    return made;
  }
}

/** Puts settings into a config. @returns the values that they replace @internal */
export function change(config: Config, settings: Partial<Config>): Partial<Config> {
  const replaced: Partial<Config> = {};
  for (const name of Object.keys(settings)) {
    if (name in config) Reflect.set(replaced, name, Reflect.get(config, name));
  }
  // Throws if one of them cannot be replaced.
  Object.assign(config, settings);
  return replaced;
}

/**
 * Puts the replaced values back into the config that was sent. Headers that contain the token are replaced by a copy without
 * it, also in the config that is shown. The copy has the headers that axios has added.
 * @internal
 */
export function restore(
  sentConfig: Config,
  shown: Config,
  replaced: Partial<Config>,
  { headers, ...settings }: Partial<Config>,
  { token }: SentToken,
): void {
  if (headers) sentConfig.headers = shown.headers = withAuthorization(headers, undefined, token);
  for (const name of Object.keys(settings)) {
    if (name in replaced) Reflect.set(sentConfig, name, Reflect.get(replaced, name));
    else Reflect.deleteProperty(sentConfig, name);
  }
}

/** The agents and dispatchers of the caller that may send the request. */
function agentsOfCaller(config: Config): unknown[] {
  const { dispatcher, agent } = fetchOptionsOf(config);
  return [config.httpAgent, realDispatcherOf(dispatcher), agent];
}

/** The caller's proxy. Only an object counts. With any other value axios would use the proxy of the environment, so it becomes `false`. */
export function proxyOf({ proxy }: Config): Config['proxy'] & (object | false) {
  return typeof proxy === 'object' && proxy !== null && !Array.isArray(proxy) ? proxy : false;
}

/**
 * The origin that a request goes to, computed in the same way as by the adapter.
 * @returns `undefined` for a request that must not get a token:
 *   - it has credentials of the caller (an `Authorization` header, even an empty one; `auth`; a user name in the URL);
 *   - its URL does not show where it goes (a socket, a transport, http through a proxy agent);
 *   - its `Host` header names another host
 * @internal
 */
export function targetOf(config: Config, axios: AxiosCopy): string | undefined {
  if (config.auth || config.socketPath || config.transport) return undefined;
  const origin = originOf(fullUrlOf(config, axios));
  if (origin === undefined) return undefined;
  if (origin.startsWith('http:') && agentsOfCaller(config).some(isProxy)) return undefined;
  // Until axios sends a request, its config can contain a header several times, with its name in any case.
  return allowToken(Object.entries(config.headers), origin) ? origin : undefined;
}

let lastOrigin: string | undefined;

/** @returns `undefined` if the URL is invalid, contains a user name, or is not one of http or https */
function originOf(url: string): string | undefined {
  // Most requests have the origin of the one before. The first slash ends the host, so nothing has to be parsed.
  if (lastOrigin !== undefined && url.startsWith(lastOrigin) && '/'.startsWith(url.charAt(lastOrigin.length)))
    return lastOrigin;
  const target = parseHttpUrl(url);
  if (!target || target.username !== '' || target.password !== '') return undefined;
  return (lastOrigin = target.origin);
}

function fullUrlOf(config: Config, axios: AxiosCopy): string {
  const { baseURL, url = '' } = config;
  // axios uses such a URL as it is.
  if (!baseURL && /^https?:\/\//i.test(url)) return url;
  try {
    return axios.urlOf(config);
  } catch {
    // The adapter finds the same mistake, and throws an error with the complete config.
    return '';
  }
}
