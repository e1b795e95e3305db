import { type InternalAxiosRequestConfig } from 'axios';
import http, { type Agent as HttpAgent, type AgentOptions } from 'node:http';
import https from 'node:https';
import { inspect } from 'node:util';
import { Agent, Dispatcher } from 'undici';
import { namesHostOf, parseHttpUrl } from '../destinations.options.js';
import { type AxiosCopy } from './axios-copy.js';
import { type SentToken } from './sent-token.js';
import { agentWithToken } from './token-agent.js';
import { FETCH_ROUTE, type FetchRoute, fetchWithToken } from './token-fetch.js';

type Config = InternalAxiosRequestConfig;

/** With `proxyEnv`, Node sends the agent's requests to the proxy that the environment names. */
type AgentSettings = AgentOptions & { readonly proxyEnv?: unknown };
type AnyAgent = HttpAgent & { readonly options?: AgentSettings };
/** `false`, as in node:http: one that is used once. */
type GivenAgent = AnyAgent | false | null | undefined;

/**
 * How requests with a token leave: by agents and a dispatcher of the attached instance's own. The global ones share
 * their sockets with everyone, and may send what they are given to the proxy of the environment.
 * @internal
 */
export class Connections {
  /** By the agent whose settings they have. */
  readonly #agents = new WeakMap<AnyAgent, HttpAgent>();
  #dispatcher?: Agent;

  /** The parts of a config that bring a token to its destination and to nobody else. */
  settingsFor(config: Config, sent: SentToken): Partial<Config> {
    const httpAgent = this.#agentFor(http, config.httpAgent as GivenAgent);
    const httpsAgent = this.#agentFor(https, config.httpsAgent as GivenAgent);
    const { dispatcher = (this.#dispatcher ??= new Agent()), ...fetchOptions } = fetchOptionsOf(config);
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

interface FetchOptions {
  readonly dispatcher?: object;
  /** What implementations on top of node:http take. */
  readonly agent?: unknown;
}

/** Those of axios' fetch adapter, which Node's fetch gets as they are. */
function fetchOptionsOf({ fetchOptions }: Config): FetchOptions {
  return (fetchOptions ?? {}) as FetchOptions;
}

/**
 * Stands for a dispatcher of the caller's in the configs that responses and errors show: a dispatcher knows the headers
 * of all its requests in flight, and the caller's own object must not be changed.
 */
class ShownDispatcher extends Dispatcher {
  static readonly #shown = new WeakMap<object, ShownDispatcher>();
  readonly #real: Dispatcher;

  private constructor(real: Dispatcher) {
    super();
    this.#real = real;
    ShownDispatcher.#shown.set(real, this);
  }

  static of(dispatcher: object): ShownDispatcher {
    if (dispatcher instanceof ShownDispatcher) return dispatcher;
    return this.#shown.get(dispatcher) ?? new ShownDispatcher(dispatcher as Dispatcher);
  }

  static realOf(dispatcher: unknown): unknown {
    return dispatcher instanceof ShownDispatcher ? dispatcher.#real : dispatcher;
  }

  override dispatch(...request: Parameters<Dispatcher['dispatch']>): boolean {
    return this.#real.dispatch(...request);
  }

  override close(...args: never[]): Promise<void> {
    return this.#real.close(...(args as []));
  }

  override destroy(...args: never[]): Promise<void> {
    return this.#real.destroy(...(args as []));
  }

  toJSON(): string {
    return `[${this.#real.constructor.name}]`;
  }

  [inspect.custom](): string {
    return this.toJSON();
  }
}

/** Puts a stand-in for the caller's dispatcher into a config that is about to be sent and shown. */
export function concealDispatcher(config: Config): void {
  const { dispatcher } = fetchOptionsOf(config);
  if (typeof dispatcher !== 'object' || dispatcher === null) return;
  config.fetchOptions = { ...config.fetchOptions, dispatcher: ShownDispatcher.of(dispatcher) };
}

/** By which ways of the caller's own a request may leave. */
function waysOut(config: Config): unknown[] {
  const { dispatcher, agent } = fetchOptionsOf(config);
  return [config.httpAgent, ShownDispatcher.realOf(dispatcher), agent];
}

/** Only an object is a proxy of the caller's; anything else that axios would take for "look at the environment" is none. */
export function proxyOf({ proxy }: Config): Config['proxy'] & (object | false) {
  return typeof proxy === 'object' && proxy !== null && !Array.isArray(proxy) ? proxy : false;
}

/**
 * The origin that a request goes to, computed as its adapter will.
 * @returns `undefined` for a request that gets no token: one with credentials of the caller's own (a header, even an
 *   empty one, `auth`, or a user name in the URL), one that leaves by a way that the URL does not tell (a socket, a
 *   transport, http by an agent for a proxy), or one whose `Host` header names another host
 * @internal
 */
export function targetOf(config: Config, axios: AxiosCopy): string | undefined {
  if (config.auth || config.socketPath || config.transport) return undefined;
  if (valuesOf(config, 'authorization').some((value) => value !== undefined)) return undefined;
  const target = parseHttpUrl(fullUrlOf(config, axios));
  if (!target || target.username !== '' || target.password !== '') return undefined;
  const { origin, protocol } = target;
  if (protocol === 'http:' && waysOut(config).some(isProxy)) return undefined;
  return valuesOf(config, 'host')
    .filter(isSent)
    .every((host) => namesHostOf(origin, host))
    ? origin
    : undefined;
}

function fullUrlOf(config: Config, axios: AxiosCopy): string {
  try {
    return axios.urlOf(config);
  } catch {
    // The adapter comes to the same, and says so with the whole config.
    return '';
  }
}

/** Of a header in any spelling: several may stand side by side until axios sends them. */
function valuesOf({ headers }: Config, header: string): unknown[] {
  return Object.entries(headers)
    .filter(([name]) => name.trim().toLowerCase() === header)
    .map(([, value]): unknown => value);
}

/** axios leaves out these. For `Authorization`, `false` and `null` still mean that the caller wants none. */
function isSent(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}

/**
 * Agents and dispatchers of proxies tell themselves from others by their names alone: HttpProxyAgent, EnvHttpProxyAgent,
 * SocksProxyAgent, TunnelingAgent.
 */
function isProxy(way: unknown): boolean {
  if (typeof way !== 'object' || way === null) return false;
  const { constructor } = way as { constructor?: { name?: string } };
  return /proxy|tunnel/i.test(constructor?.name ?? '') || isProxy(Object.getPrototypeOf(way));
}
