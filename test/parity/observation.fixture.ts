import axios, { type AxiosResponse } from 'axios';
import { once } from 'node:events';
import { Readable } from 'node:stream';

type Anything = Record<string, unknown>;

/** The outcome of a request, in every respect that code may look at. */
export async function outcomeOf(answer: Promise<AxiosResponse>): Promise<unknown> {
  try {
    return describeResponse(await answer);
  } catch (error) {
    return describeError(error);
  }
}

export function describeResponse(response: AxiosResponse): unknown {
  const { status, statusText, headers } = response;
  const { data, config, request } = response as unknown as Anything;
  return {
    status,
    statusText,
    headers: { ...headers, date: '(date)' },
    data: describeData(data),
    config: describeConfig(config as Anything),
    request: describeRequest(request as Anything),
    keys: Object.keys(response).sort(),
    classes: [headers, request, data].map(className),
  };
}

export function describeError(error: unknown, depth = 3): unknown {
  if (typeof error !== 'object' || error === null || depth === 0) return error;
  const { name, message, code, status, cause, config, request, response, isAxiosError } = error as Anything;
  return {
    class: className(error),
    isOurs: [error instanceof axios.AxiosError, error instanceof axios.CanceledError, axios.isCancel(error)],
    isAxiosError,
    name,
    message,
    code,
    status,
    keys: Object.keys(error).sort(),
    cause: isFromFetch(error) ? cause !== undefined : describeError(cause, depth - 1),
    config: config && describeConfig(config as Anything),
    request: request && describeRequest(request as Anything),
    response: response && describeResponse(response as AxiosResponse),
  };
}

/**
 * Node's fetch replaces errors of another realm by new errors. In Jest, errors of the package undici are from another
 * realm. survival.spec.ts shows the errors in a process without Jest.
 */
function isFromFetch(error: object): boolean {
  const { request } = error as Anything;
  return error instanceof TypeError || className(request) === 'Request';
}

function describeConfig(config: Anything): unknown {
  const { headers, data, url, method, timeout, adapter } = config;
  return {
    headers: { ...(headers as object) },
    data: describeData(data),
    rest: { url, method, timeout, adapter },
    keys: Object.keys(config)
      .filter((key) => config[key] !== undefined)
      .sort(),
  };
}

function describeRequest(request: Anything | undefined): unknown {
  if (!request) return request;
  const { method, path, protocol, host, url, redirect, res } = request;
  return {
    class: className(request),
    target: { method, path, protocol, host, url, redirect },
    responseUrl: (res as { responseUrl?: unknown } | undefined)?.responseUrl,
    headers: headersOf(request),
    hasSocket: className(request['socket']),
  };
}

function headersOf(request: Anything): unknown {
  const { headers, getHeaders } = request;
  if (typeof getHeaders === 'function') return { ...(getHeaders.call(request) as object), host: '(host)' };
  return headers instanceof Headers ? Object.fromEntries(headers) : headers;
}

function describeData(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) return data;
  if (Buffer.isBuffer(data) || data instanceof ArrayBuffer) return `${className(data)} ${data.byteLength}`;
  return data instanceof Readable || data.constructor !== Object ? className(data) : data;
}

export function className(value: unknown): string {
  return typeof value === 'object' && value !== null ? (value.constructor?.name ?? '(none)') : typeof value;
}

/** A stream from its first listener to its end: events in their order, and everything that was read. */
export async function watchStream(stream: Readable): Promise<unknown> {
  const events: string[] = [];
  let text = '';
  let error: unknown;
  for (const name of ['aborted', 'end', 'error', 'close', 'pause', 'resume'])
    stream.on(name, () => events.push(name));
  stream.on('error', (reason: unknown) => (error = reason));
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  if (!stream.closed) await once(stream, 'close').catch(() => {});
  return { events, text, error: describeError(error), state: stateOf(stream) };
}

/** The properties of a downloaded stream that a form, a proxy or a log reads. */
export function stateOf(stream: Readable): unknown {
  const { statusCode, statusMessage, headers, rawHeaders, trailers, httpVersion, complete, aborted } =
    stream as unknown as Anything;
  const { destroyed, readableEnded, readableAborted, readableHighWaterMark, readableObjectMode } = stream;
  return {
    http: { statusCode, statusMessage, httpVersion, complete, aborted, trailers },
    headers: headers && { ...headers, date: '(date)' },
    rawHeaderCount: (rawHeaders as unknown[] | undefined)?.length,
    stream: { destroyed, readableEnded, readableAborted, readableHighWaterMark, readableObjectMode },
    class: className(stream),
    hasSocket: 'socket' in stream,
  };
}
