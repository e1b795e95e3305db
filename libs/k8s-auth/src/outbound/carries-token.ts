import { namesHostOf } from './destinations.options.js';

/**
 * Whether the headers of a request allow that the token of an origin is added:
 *   - a request with an `Authorization` header of the caller, even an empty one, gets no token;
 *   - a request with a `Host` header that names another host gets no token.
 * @param headers the names may be in any case and occur several times
 * @internal
 */
export function allowToken(
  headers: Iterable<readonly [name: string, value: unknown]>,
  origin: string,
): boolean {
  for (const [name, value] of headers) {
    if (isNamed(name, 'authorization') && value !== undefined) return false;
    if (isNamed(name, 'host') && isSent(value) && !namesHostOf(origin, value)) return false;
  }
  return true;
}

/** Whether a header has this name, in any case. @internal */
export function isNamed(name: string, header: string): boolean {
  // The length first, because it decides for nearly all headers.
  return name.length >= header.length && name.trim().toLowerCase() === header;
}

/** Whether clients send a header with this value. For `Authorization`, `false` and `null` mean that the caller wants no such header. */
function isSent(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false;
}

/**
 * Whether an agent or dispatcher sends requests through a proxy. Only the name of its class shows that: HttpProxyAgent,
 * EnvHttpProxyAgent, SocksProxyAgent, TunnelingAgent.
 * @internal
 */
export function isProxy(agent: unknown): boolean {
  if (typeof agent !== 'object' || agent === null) return false;
  const { constructor } = agent as { constructor?: { name?: string } };
  return /proxy|tunnel/i.test(constructor?.name ?? '') || isProxy(Object.getPrototypeOf(agent));
}
