import { type InternalAxiosRequestConfig } from 'axios';
import { types } from 'node:util';

type Config = InternalAxiosRequestConfig;

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
