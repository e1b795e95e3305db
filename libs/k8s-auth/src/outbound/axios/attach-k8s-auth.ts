import { type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';
import { type K8sAuthTokenSource } from '../k8s-auth-token-source.js';
import { sendAuthorized } from './authorized-request.js';
import { AxiosCopy } from './axios-copy.js';
import { Connections } from './connections.js';

/**
 * An axios instance of any copy of axios: the types that `require('axios')` has are not those that `import` has.
 * @publicApi
 */
export interface AttachableAxios {
  readonly interceptors: { readonly request: { use(...interceptor: never[]): number } };
  create(...config: never[]): unknown;
}

type Interceptor = (config: InternalAxiosRequestConfig) => InternalAxiosRequestConfig;

const attached = new WeakMap<AttachableAxios, WeakMap<K8sAuthTokenSource, Interceptor>>();

export function attachK8sAuth(axiosInstance: AttachableAxios, tokenSource: K8sAuthTokenSource): void {
  const instance = axiosInstance as AxiosInstance;
  const request = (instance as Partial<AxiosInstance> | undefined)?.interceptors?.request;
  // What a test has put in the place of an instance sends nothing by itself.
  if (typeof request?.use !== 'function') return;
  const ours = attached.get(instance) ?? new WeakMap<K8sAuthTokenSource, Interceptor>();
  const interceptor = ours.get(tokenSource) ?? makeInterceptor(instance, tokenSource);
  attached.set(instance, ours.set(tokenSource, interceptor));
  // `clear` and `eject` may have removed it.
  if (request.handlers?.some((handler) => handler?.fulfilled === interceptor)) return;
  request.use(interceptor, null, { synchronous: true });
}

function makeInterceptor(instance: AxiosInstance, tokenSource: K8sAuthTokenSource): Interceptor {
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
