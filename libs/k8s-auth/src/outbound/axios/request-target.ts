import { type InternalAxiosRequestConfig } from 'axios';
import { namesHostOf, parseHttpUrl } from '../origin.js';
import { type AxiosCopy } from './axios-copy.js';
import { fetchOptionsOf } from './connections.js';

/**
 * The origin that a request goes to, computed as its adapter will.
 * @returns `undefined` for a request that gets no token: one with credentials of the caller's own (a header, even an
 *   empty one, `auth`, or a user name in the URL), one that leaves by a way that the URL does not tell (a socket, a
 *   transport, a dispatcher for a proxy), or one whose `Host` header names another host
 * @internal
 */
export function targetOf(config: InternalAxiosRequestConfig, axios: AxiosCopy): string | undefined {
  if (config.auth || config.socketPath || config.transport || hasProxyDispatcher(config)) return undefined;
  if (valuesOf(config, 'authorization').some((value) => value !== undefined)) return undefined;
  const target = parseHttpUrl(fullUrlOf(config, axios));
  if (!target || target.username !== '' || target.password !== '') return undefined;
  const { origin } = target;
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

/** ProxyAgent and EnvHttpProxyAgent of any copy of undici. Nothing but the name tells them from other dispatchers. */
function hasProxyDispatcher(config: InternalAxiosRequestConfig): boolean {
  let object: object | null | undefined = fetchOptionsOf(config).dispatcher;
  while (object) {
    if (/Proxy/.test(object.constructor.name)) return true;
    object = Object.getPrototypeOf(object) as object | null;
  }
  return false;
}
