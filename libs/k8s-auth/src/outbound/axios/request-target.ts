import { type InternalAxiosRequestConfig } from 'axios';
import { namesHostOf, parseHttpUrl } from '../destinations.options.js';
import { type AxiosCopy } from './axios-copy.js';
import { waysOut } from './connections.js';

/**
 * The origin that a request goes to, computed as its adapter will.
 * @returns `undefined` for a request that gets no token: one with credentials of the caller's own (a header, even an
 *   empty one, `auth`, or a user name in the URL), one that leaves by a way that the URL does not tell (a socket, a
 *   transport, http by an agent for a proxy), or one whose `Host` header names another host
 * @internal
 */
export function targetOf(config: InternalAxiosRequestConfig, axios: AxiosCopy): string | undefined {
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

function fullUrlOf(config: InternalAxiosRequestConfig, axios: AxiosCopy): string {
  try {
    return axios.urlOf(config);
  } catch {
    // The adapter comes to the same, and says so with the whole config.
    return '';
  }
}

/** Of a header in any spelling: several may stand side by side until axios sends them. */
function valuesOf({ headers }: InternalAxiosRequestConfig, header: string): unknown[] {
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
