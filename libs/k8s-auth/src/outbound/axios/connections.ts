import { type InternalAxiosRequestConfig } from 'axios';
import http, { type Agent, type AgentOptions } from 'node:http';
import https from 'node:https';
import { inspect } from 'node:util';
import { Agent as Dispatcher } from 'undici';
import { type SentToken } from './sent-token.js';
import { agentWithToken } from './token-agent.js';
import { FETCH_ROUTE, type FetchRoute, fetchWithToken } from './token-fetch.js';

type Config = InternalAxiosRequestConfig;

/** With `proxyEnv`, Node sends the agent's requests to the proxy that the environment names. */
type AgentSettings = AgentOptions & { readonly proxyEnv?: unknown };
type AnyAgent = Agent & { readonly options?: AgentSettings };
/** `false`, as in node:http: one that is used once. */
type GivenAgent = AnyAgent | false | null | undefined;

/**
 * How requests with a token leave: by agents and a dispatcher of the attached instance's own. The global ones share
 * their sockets with everyone, and may send what they are given to the proxy of the environment.
 * @internal
 */
export class Connections {
  /** By the agent whose settings they have. */
  readonly #agents = new WeakMap<AnyAgent, Agent>();
  #dispatcher?: Dispatcher;

  /** The parts of a config that bring a token to its destination and to nobody else. */
  settingsFor(config: Config, sent: SentToken): Partial<Config> {
    const httpAgent = this.#agentFor(http, config.httpAgent as GivenAgent);
    const httpsAgent = this.#agentFor(https, config.httpsAgent as GivenAgent);
    const { dispatcher = (this.#dispatcher ??= new Dispatcher()), ...fetchOptions } = fetchOptionsOf(config);
    if (dispatcher !== this.#dispatcher) conceal(dispatcher);
    // Behind a function, because a dispatcher knows the headers of its requests and the config may be shown.
    // Implementations on top of node:http take an agent instead.
    const connection = () => ({
      dispatcher,
      agent: ({ protocol }: URL) => (protocol === 'https:' ? httpsAgent : httpAgent),
    });
    const { env, maxRedirects } = config;
    const route: FetchRoute = { sent, connection, maxRedirects, data: config.data as unknown };
    return {
      proxy: proxyOf(config),
      httpAgent: agentWithToken(httpAgent, sent),
      httpsAgent: agentWithToken(httpsAgent, sent),
      env: { ...env, fetch: fetchWithToken(env?.fetch ?? globalThis.fetch) },
      fetchOptions: { ...fetchOptions, [FETCH_ROUTE]: route },
    };
  }

  /** The caller's agent, unless it is the global one or would use a proxy of the environment. */
  #agentFor({ Agent, globalAgent }: typeof http | typeof https, given: GivenAgent): Agent {
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

interface FetchOptions {
  readonly dispatcher?: object;
  /** What implementations on top of node:http take. */
  readonly agent?: unknown;
}

/** Those of axios' fetch adapter, which Node's fetch gets as they are. */
export function fetchOptionsOf({ fetchOptions }: Config): FetchOptions {
  return (fetchOptions ?? {}) as FetchOptions;
}

/** A dispatcher of the caller's stands in the config that responses and errors show, and knows the headers in flight. */
function conceal(dispatcher: object): void {
  const label = `[${dispatcher.constructor.name}]`;
  for (const key of ['toJSON', inspect.custom]) {
    Reflect.defineProperty(dispatcher, key, { value: () => label, configurable: true });
  }
}

/** Only an object is a proxy of the caller's; anything else that axios would take for "look at the environment" is none. */
export function proxyOf({ proxy }: Config): Config['proxy'] & (object | false) {
  return typeof proxy === 'object' && proxy !== null && !Array.isArray(proxy) ? proxy : false;
}
