import {
  type AxiosAdapter,
  type AxiosError,
  type AxiosInstance,
  type AxiosResponse,
  type AxiosStatic,
  type InternalAxiosRequestConfig,
} from 'axios';
import { systemClock } from '../../util/clock.js';
import { isForm, isReusableBody } from '../request-body.js';
import { defaultExportOf } from './default-export.js';

type Config = InternalAxiosRequestConfig;
/** Carries a config through axios' merge with defaults, which would copy it. An interceptor unwraps it. */
type Wrapped = Config & { readonly unwrap: () => Config };
type AxiosErrorClass = new (message?: string, code?: string, config?: Config) => AxiosError;

/** An adapter that does not exist: axios creates an error instead of sending. */
const UNKNOWN_ADAPTER = 'none';

/**
 * The copy of axios that created an instance. One process may have several copies (CommonJS, ES module, nested
 * versions), and the adapters, errors and `instanceof` of one copy do not work with another. This folder therefore uses
 * a second instance, created by the first one, without interceptors and defaults. Adapters come directly from the copy,
 * if the default export of the copy is found: this saves a second pass through axios for each request.
 * @internal
 */
export class AxiosCopy {
  readonly #blank: AxiosInstance;
  #axios?: AxiosStatic;

  constructor(instance: AxiosInstance) {
    void defaultExportOf(instance).then((axios) => (this.#axios = axios));
    this.#blank = instance.create();
    // A default would add again what an interceptor has removed from the config.
    for (const name of Object.keys(this.#blank.defaults)) Reflect.deleteProperty(this.#blank.defaults, name);
    const unwrap = (config: Config) => (config as Wrapped).unwrap();
    this.#blank.interceptors.request.use(unwrap, null, { synchronous: true });
  }

  /** @throws {AxiosError} a malformed URL */
  urlOf({ baseURL, url, allowAbsoluteUrls }: Config): string {
    return this.#blank.getUri({ baseURL, url, allowAbsoluteUrls });
  }

  /** Sends a config whose body is already transformed, with the adapter that it names. The caller transforms the response. */
  async send(config: Config): Promise<AxiosResponse> {
    const adapter = this.#adapterOf(config) ?? config.adapter;
    // axios itself creates the error of a cancelled request: an adapter would send it.
    const isCancelled = config.signal?.aborted || config.cancelToken?.reason;
    if (typeof adapter === 'function' && !isCancelled) return adapter(config);
    const { transformRequest, transformResponse } = config;
    Object.assign(config, { transformRequest: [], transformResponse: [] });
    try {
      return await this.#dispatch(config);
    } finally {
      Object.assign(config, { transformRequest, transformResponse });
    }
  }

  /** The http adapter of axios, if it is certain that it sends a config. */
  httpAdapterOf(config: Config): AxiosAdapter | undefined {
    const adapter = this.#adapterOf(config);
    return adapter === this.#axios?.getAdapter('http') ? adapter : undefined;
  }

  /** @throws {AxiosError} there is no such adapter */
  #adapterOf(config: Config): AxiosAdapter | undefined {
    return this.#axios?.getAdapter(config.adapter ?? this.#axios.defaults.adapter, config);
  }

  /**
   * Waits for a promise, but not longer than `signal`, `cancelToken` and `timeout` of the request allow. axios itself
   * checks them only when it sends.
   * @throws {CanceledError} as axios does
   * @throws {AxiosError} ECONNABORTED or ETIMEDOUT, as axios does
   */
  async waitFor<T>(waiting: Promise<T>, config: Config): Promise<T> {
    let stop = () => {};
    const interrupted = new Promise<never>((_resolve, reject) => {
      stop = this.#onInterruption(config, (error) => void error.then(reject, reject));
    });
    try {
      return await Promise.race([waiting, interrupted]);
    } finally {
      stop();
    }
  }

  #onInterruption(config: Config, interrupt: (error: Promise<unknown>) => void): () => void {
    const { signal, cancelToken } = config;
    const timeoutMs = parseInt(String(config.timeout), 10);
    const cancel = () => interrupt(this.#cancellation(config));
    const expire = () => interrupt(this.#timeoutError(config));
    const stopTimer = timeoutMs > 0 ? systemClock.schedule(timeoutMs, expire) : undefined;
    cancelToken?.subscribe(cancel);
    signal?.addEventListener?.('abort', cancel);
    if (signal?.aborted) cancel();
    return () => {
      stopTimer?.();
      cancelToken?.unsubscribe(cancel);
      signal?.removeEventListener?.('abort', cancel);
    };
  }

  /** Creates the error of axios for a cancelled request. Nothing is sent: axios checks for cancellation before it calls an adapter. */
  async #cancellation(config: Config): Promise<unknown> {
    const { signal, cancelToken, headers } = config;
    const error = await this.#dispatch({ signal, cancelToken, headers, adapter: UNKNOWN_ADAPTER }).catch(
      identity,
    );
    return Object.assign(error as object, signal?.aborted && { config });
  }

  async #timeoutError(config: Config): Promise<AxiosError> {
    const { adapter, timeout = 0, transitional, headers } = config;
    const { timeoutErrorMessage = `timeout of ${timeout}ms exceeded` } = config;
    // An instance does not expose the class AxiosError, but axios throws an error of this class for an unknown adapter.
    const { constructor } = (await this.#dispatch({ headers, adapter: UNKNOWN_ADAPTER }).catch(
      identity,
    )) as object;
    const isClear = transitional?.clarifyTimeoutError || String(adapter) === 'fetch';
    const code = isClear ? 'ETIMEDOUT' : 'ECONNABORTED';
    return new (constructor as AxiosErrorClass)(timeoutErrorMessage, code, config);
  }

  #dispatch(config: Config): Promise<AxiosResponse> {
    return this.#blank.request({ unwrap: () => config } as unknown as Config);
  }
}

function identity(error: unknown): unknown {
  return error;
}

/**
 * Must be called before a request is sent that may have to be repeated, because sending reads streams and adds headers.
 * @returns a function that returns the original config, or `undefined` if the body is a stream or a form with a stream
 * @internal
 */
export function rememberConfig(config: Config): () => Config | undefined {
  // Sending may add headers to this object, such as the length of the body. axios sets them to the same values for a replay.
  const { headers } = config;
  const data: unknown = config.data;
  if (isReusableBody(data)) return () => ({ ...config, headers });
  if (!isForm(data)) return () => undefined;
  const parts = [...data._streams];
  return () => {
    try {
      const whole = Object.assign(Object.create(data) as typeof data, { _streams: parts });
      return { ...config, data: whole.getBuffer(), headers: headers.concat(data.getHeaders()) };
    } catch {
      // One of the parts is a stream.
      return undefined;
    }
  };
}
