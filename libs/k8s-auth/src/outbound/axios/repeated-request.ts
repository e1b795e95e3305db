import { type InternalAxiosRequestConfig } from 'axios';
import { types } from 'node:util';
import { parseHttpUrl } from '../destinations.options.js';

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

export type Body = NonNullable<RequestInit['body']>;

/** One request on the way through redirects. */
export interface Hop {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly hasBody: boolean;
}

// What the Fetch standard calls a redirect status, and what its "HTTP-redirect fetch" takes away when.
const REDIRECT_STATUSES = [301, 302, 303, 307, 308];
const HEADERS_OF_BODY = [
  'content-encoding',
  'content-language',
  'content-location',
  'content-type',
  'content-length',
];
const HEADERS_OF_ORIGIN = ['authorization', 'proxy-authorization', 'cookie', 'host'];

/**
 * @returns where an answer redirects to, or `undefined` if it is not a redirect
 * @throws {TypeError} the implementation hides the location, as browsers do
 * @internal
 */
export function locationOf({ status, headers, type }: Response): string | undefined {
  if (type === 'opaqueredirect') throw networkError('the location of a redirect is hidden');
  return (REDIRECT_STATUSES.includes(status) ? headers.get('location') : undefined) ?? undefined;
}

/**
 * The request that follows a redirect, by the Fetch standard.
 * @throws {TypeError} the location cannot be followed
 * @internal
 */
export function nextHop(hop: Hop, status: number, location: string): Hop {
  const url = parseHttpUrl(location, hop.url);
  if (!url) throw networkError('invalid redirect URL');
  const isElsewhere = url.origin !== new URL(hop.url).origin;
  if (isElsewhere && (url.username || url.password)) throw networkError('redirect URL with credentials');
  url.username = url.password = '';
  const headers = isElsewhere ? without(hop.headers, HEADERS_OF_ORIGIN) : hop.headers;
  const becomesGet =
    status === 303 ? !/^(GET|HEAD)$/.test(hop.method) : status < 303 && hop.method === 'POST';
  return becomesGet
    ? { url: url.href, method: 'GET', headers: without(headers, HEADERS_OF_BODY), hasBody: false }
    : { ...hop, url: url.href, headers };
}

/** The error of a fetch that failed on the way, as Node words it and axios knows it. @internal */
export function networkError(reason: string): TypeError {
  return new TypeError('fetch failed', { cause: new Error(reason) });
}

/** @internal */
export function without(headers: Hop['headers'], names: readonly string[]): Hop['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}
