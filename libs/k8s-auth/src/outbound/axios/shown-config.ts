import { type InternalAxiosRequestConfig } from 'axios';
import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import { type Dispatcher } from 'undici';
import { parseHttpUrl } from '../destinations.options.js';
import { redact } from '../secrecy.js';
import { type SentToken } from '../sent-token.js';

type Config = InternalAxiosRequestConfig;

type BeforeRedirect = NonNullable<Config['beforeRedirect']>;

/**
 * Wraps the caller's `beforeRedirect` hook. If a redirect leads to another origin, the token is removed from the headers of
 * the next request, and from those of the last request, which the hook also gets. The headers contain the token only if
 * axios creates the agent itself, to tunnel https through the caller's `proxy`; our agents remove it.
 * @internal
 */
export function guardedRedirect(sent: SentToken, hook: BeforeRedirect | undefined): BeforeRedirect {
  return (hop, response, request) => {
    const mayGo = sent.mayGoTo(parseHttpUrl(String(hop['href']))?.origin);
    // An axios that the peer range excludes (before 1.16) passes no request.
    const previous = (request as Partial<typeof request> | undefined)?.headers;
    if (!mayGo) [hop['headers'], previous].forEach((headers) => dropToken(headers, sent));
    hook?.(hop, response, request);
    if (!mayGo) dropToken(hop['headers'], sent);
  };
}

/** Removes every header that contains the token. follow-redirects keeps `Authorization` for subdomains, and a hook may copy it to another header. */
function dropToken(headers: unknown, { token }: SentToken): void {
  if (typeof headers !== 'object' || headers === null) return;
  for (const [name, value] of Object.entries(headers)) {
    if (String(value).includes(token)) Reflect.deleteProperty(headers, name);
  }
}

/** Removes the token from what the caller sees of a sent request: its config, and the request object. @internal */
export function hideToken(
  outcome: { config?: Config; request?: unknown },
  shown: Config,
  sent: SentToken,
): void {
  if (outcome.config) outcome.config = shown;
  // The request object contains the token with custom adapters, with HTTP/2, and with a tunnel through the caller's proxy.
  if (!sent.isWithheld) redact(outcome.request, sent.token);
}

export interface FetchOptions {
  readonly dispatcher?: object;
  /** Used by implementations of fetch on top of node:http. */
  readonly agent?: unknown;
}

/** The `fetchOptions` of a config. axios' fetch adapter passes them unchanged to Node's fetch. */
export function fetchOptionsOf({ fetchOptions }: Config): FetchOptions {
  return (fetchOptions ?? {}) as FetchOptions;
}

/**
 * Replaces the caller's dispatcher in the configs that responses and errors show, because a dispatcher holds the headers
 * of all its requests in flight. The caller's own object is not changed. It has the methods of undici's `Dispatcher`, but
 * not its class, so that undici is not imported.
 */
class ShownDispatcher extends EventEmitter {
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

  dispatch(...request: Parameters<Dispatcher['dispatch']>): boolean {
    return this.#real.dispatch(...request);
  }

  close(...args: never[]): Promise<void> {
    return this.#real.close(...(args as []));
  }

  destroy(...args: never[]): Promise<void> {
    return this.#real.destroy(...(args as []));
  }

  /** Composes around this object. The method uses nothing but `dispatch` of the object that it is called on. */
  compose(...interceptors: never[]): Dispatcher {
    return this.#real.compose.apply<this, never[], Dispatcher>(this, interceptors);
  }

  toJSON(): string {
    return `[${this.#real.constructor.name}]`;
  }

  [inspect.custom](): string {
    return this.toJSON();
  }
}

/** Replaces the caller's dispatcher in a config with a wrapper that does not show headers. */
export function concealDispatcher(config: Config): void {
  const { dispatcher } = fetchOptionsOf(config);
  if (typeof dispatcher !== 'object' || dispatcher === null) return;
  config.fetchOptions = { ...config.fetchOptions, dispatcher: ShownDispatcher.of(dispatcher) };
}

/** The caller's own dispatcher. @internal */
export const realDispatcherOf = (dispatcher: unknown): unknown => ShownDispatcher.realOf(dispatcher);
