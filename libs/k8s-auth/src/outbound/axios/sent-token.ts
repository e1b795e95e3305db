import { type InternalAxiosRequestConfig } from 'axios';
import { types } from 'node:util';
import { parseHttpUrl } from '../destinations.options.js';

type Config = InternalAxiosRequestConfig;

/**
 * The token of one try, and what is known of its way. Each redirect is seen by one of axios' hook, the agents and our
 * fetch; all of them report here.
 * @internal
 */
export class SentToken {
  readonly #token: string;
  /** A hop went to another origin. */
  hasLeftOrigin = false;
  /** The header was taken off the visible request, and is added where nobody can look. */
  isWithheld = false;

  /**
   * @param origin the only one that gets the token
   * @param usesProxy the caller has set a proxy for this request, which may read what it forwards
   */
  constructor(
    readonly origin: string,
    token: string,
    readonly usesProxy: boolean,
  ) {
    this.#token = token;
  }

  get token(): string {
    return this.#token;
  }

  get header(): string {
    return `Bearer ${this.#token}`;
  }

  /**
   * To be asked for each hop. Once a hop has left the origin there is no way back: the other server chose the way
   * (RFC 9700 §4.12).
   */
  mayGoTo(origin: string | undefined): boolean {
    this.hasLeftOrigin ||= origin !== this.origin;
    return !this.hasLeftOrigin;
  }
}

type BeforeRedirect = NonNullable<Config['beforeRedirect']>;

/**
 * The caller's hook, behind ours: a token that has left its origin is gone from the headers of the hop, and from those
 * of the last request, which the hook gets too. Where our agents send the request the headers hold no token anyway; they
 * do where axios makes the agent itself, to tunnel https through the caller's `proxy`.
 * @internal
 */
export function guardedRedirect(sent: SentToken, hook: BeforeRedirect | undefined): BeforeRedirect {
  return (hop, response, request) => {
    const mayGo = sent.mayGoTo(parseHttpUrl(String(hop['href']))?.origin);
    if (!mayGo) [hop['headers'], request.headers].forEach((headers) => dropToken(headers, sent));
    hook?.(hop, response, request);
    if (!mayGo) dropToken(hop['headers'], sent);
  };
}

/** Whatever the name of the header: follow-redirects keeps `Authorization` for subdomains, and hooks copy. */
function dropToken(headers: unknown, { token }: SentToken): void {
  if (typeof headers !== 'object' || headers === null) return;
  for (const [name, value] of Object.entries(headers)) {
    if (String(value).includes(token)) Reflect.deleteProperty(headers, name);
  }
}

// From an error to its cause, its config, its headers and one of them; from a request to those of the next hop. What
// lies deeper (sockets, parsers) does not hold headers.
const MAX_DEPTH = 5;

/**
 * Replaces the token in every text that an object holds, in place: an error stays the error that axios made.
 * @param except objects that are left alone
 * @internal
 */
export function redact(value: unknown, token: string, except: readonly unknown[] = []): void {
  visit(value, token, new Set(except), MAX_DEPTH);
}

function visit(value: unknown, token: string, seen: Set<unknown>, depth: number): void {
  if (typeof value !== 'object' || value === null || depth === 0 || seen.has(value)) return;
  // Bytes are not shown as text, and have a key for each.
  if (types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value)) return;
  seen.add(value);
  for (const key of Reflect.ownKeys(value)) {
    const isData = 'value' in (Reflect.getOwnPropertyDescriptor(value, key) ?? {});
    // A getter may do anything, except this one of V8.
    if (!isData && key !== 'stack') continue;
    const held: unknown = Reflect.get(value, key);
    if (typeof held !== 'string') visit(held, token, seen, depth - 1);
    else if (held.includes(token)) Reflect.set(value, key, held.replaceAll(token, '[token]'));
  }
}

/** In what the caller sees of a request that was sent: its config, and the request object. @internal */
export function hideToken(
  outcome: { config?: Config; request?: unknown },
  shown: Config,
  sent: SentToken,
): void {
  if (outcome.config) outcome.config = shown;
  // Adapters of others leave it there, HTTP/2 does, and the tunnel through a proxy of the caller's.
  if (!sent.isWithheld) redact(outcome.request, sent.token);
}

/** Makes a config that was sent the one that is shown, and leaves in both the headers that axios has added. @internal */
export function restore(
  sentConfig: Config,
  shown: Config,
  { headers = shown.headers, ...settings }: Partial<Config>,
  { token }: SentToken,
): void {
  if (String(headers.get('Authorization')).includes(token)) headers.delete('Authorization');
  shown.headers = headers;
  for (const name of Object.keys(settings) as (keyof Config)[]) {
    if (name in shown) Reflect.set(sentConfig, name, shown[name]);
    else Reflect.deleteProperty(sentConfig, name);
  }
}

/** Lets go of the connection of an answer that nobody will read. @internal */
export function discard(body: unknown): void {
  const { destroy, cancel } = (body ?? {}) as { destroy?: unknown; cancel?: unknown };
  if (typeof destroy === 'function') destroy.call(body);
  else if (typeof cancel === 'function') void Promise.resolve(cancel.call(body)).catch(() => {});
}
