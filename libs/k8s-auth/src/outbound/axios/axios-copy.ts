import {
  type AxiosError,
  type AxiosInstance,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import { types } from 'node:util';
import { systemClock } from '../../util/clock.js';

type Config = InternalAxiosRequestConfig;
/** A config on its way past the merge with defaults, which would make another object of it. */
type Wrapped = Config & { readonly unwrap: () => Config };
type AxiosErrorClass = new (message?: string, code?: string, config?: Config) => AxiosError;

const UNKNOWN = 'none';

/**
 * The copy of axios that made an instance. One process may hold several copies (CommonJS, ES module, nested versions),
 * and adapters, errors and `instanceof` of one mean nothing to another. Everything that this folder needs of axios at
 * run time is therefore asked of the instance, by a second instance that it creates: without interceptors and defaults.
 * @internal
 */
export class AxiosCopy {
  readonly #blank: AxiosInstance;

  constructor(instance: AxiosInstance) {
    this.#blank = instance.create();
    // A default would bring back what an interceptor has taken out of the config.
    for (const name of Object.keys(this.#blank.defaults)) Reflect.deleteProperty(this.#blank.defaults, name);
    const unwrap = (config: Config) => (config as Wrapped).unwrap();
    this.#blank.interceptors.request.use(unwrap, null, { synchronous: true });
  }

  /** @throws {AxiosError} a malformed URL */
  urlOf({ baseURL, url, allowAbsoluteUrls }: Config): string {
    return this.#blank.getUri({ baseURL, url, allowAbsoluteUrls });
  }

  /** Sends a config whose body is transformed already, by the adapter that it names. The caller transforms the answer. */
  async send(config: Config): Promise<AxiosResponse> {
    if (typeof config.adapter === 'function') return config.adapter(config);
    const { transformRequest, transformResponse } = config;
    Object.assign(config, { transformRequest: [], transformResponse: [] });
    try {
      return await this.#dispatch(config);
    } finally {
      Object.assign(config, { transformRequest, transformResponse });
    }
  }

  /**
   * Waits no longer than the request may: axios looks at `signal`, `cancelToken` and `timeout` only once it sends.
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

  /** Never sent: axios refuses a config that is cancelled before it asks an adapter. */
  async #cancellation(config: Config): Promise<unknown> {
    const { signal, cancelToken, headers } = config;
    const error = await this.#dispatch({ signal, cancelToken, headers, adapter: UNKNOWN }).catch(identity);
    return Object.assign(error as object, signal?.aborted && { config });
  }

  async #timeoutError(config: Config): Promise<AxiosError> {
    const { adapter, timeout = 0, transitional, headers } = config;
    const { timeoutErrorMessage = `timeout of ${timeout}ms exceeded` } = config;
    // The class is on no instance, but an unknown adapter is an error of that class.
    const { constructor } = (await this.#dispatch({ headers, adapter: UNKNOWN }).catch(identity)) as object;
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

/** A form of the package form-data, which axios makes of objects too. It is a stream that empties itself. */
interface FormStream {
  readonly _streams: unknown[];
  getBuffer(): Buffer;
  getHeaders(): Record<string, string>;
}

const LASTING_CLASSES = ['Blob', 'File', 'FormData', 'URLSearchParams'];

/** Whether a body is the same after it was sent: text, bytes, a `Blob`, a `FormData`. @internal */
export function isLasting(body: unknown): boolean {
  if (body === undefined || body === null || typeof body === 'string') return true;
  if (types.isAnyArrayBuffer(body) || ArrayBuffer.isView(body)) return true;
  return !isFormStream(body) && LASTING_CLASSES.includes(Object.prototype.toString.call(body).slice(8, -1));
}

/**
 * Called before a request is sent that may have to be sent again: sending empties streams and adds headers.
 * @returns the function that gives the config as it was, or `undefined` if the body is a stream or a form with one
 * @internal
 */
export function rememberConfig(config: Config): () => Config | undefined {
  const again = { ...config };
  const data: unknown = config.data;
  if (isLasting(data)) return () => again;
  if (!isFormStream(data)) return () => undefined;
  const parts = [...data._streams];
  return () => {
    try {
      const whole = Object.assign(Object.create(data) as FormStream, { _streams: parts });
      return { ...again, data: whole.getBuffer(), headers: again.headers.concat(data.getHeaders()) };
    } catch {
      // One of the parts is a stream.
      return undefined;
    }
  };
}

function isFormStream(body: unknown): body is FormStream {
  const { _streams, getBuffer, getHeaders } = body as Partial<FormStream>;
  return Array.isArray(_streams) && typeof getBuffer === 'function' && typeof getHeaders === 'function';
}
