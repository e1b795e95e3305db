import { type AxiosError, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { finished, PassThrough, Readable } from 'node:stream';
import { inspect } from 'node:util';

/** A request that carried a token. */
export interface SentRequest {
  readonly token: string;
  readonly url: URL;
  /** The caller's config: it never held the token, and is what responses and errors show. */
  readonly shownConfig: InternalAxiosRequestConfig;
  /** The config that the adapter got. */
  readonly sentConfig: InternalAxiosRequestConfig;
}

/** What stands in `request` of a response or an error, in place of the live request and its header. @publicApi */
export interface RequestDescription {
  readonly method: string;
  readonly protocol: string;
  readonly host: string;
  readonly path: string;
  /** Where the answer came from, after redirects. */
  readonly res?: { readonly responseUrl: string };
}

/**
 * Takes the token out of everything that the caller gets to see of an answer; called for successes too, since they
 * are logged as well. Changed in place: an error stays the error that axios made.
 * @internal
 */
export function scrubResponse(response: AxiosResponse, sent: SentRequest): void {
  forgetAuthorization(response.request, sent);
  response.config = sent.shownConfig;
  response.request = describeRequest(response.request, sent);
  // A stream is the live response, which knows its request.
  if (response.data instanceof Readable) response.data = detach(response.data, sent);
}

/** @internal */
export function scrubError(error: unknown, sent: SentRequest, seen = new Set<unknown>()): void {
  if (typeof error !== 'object' || error === null || seen.has(error)) return;
  seen.add(error);
  const failure = error as Partial<AxiosError> & { errors?: unknown };
  if (failure.response && !seen.has(failure.response)) {
    seen.add(failure.response);
    scrubResponse(failure.response, sent);
  }
  if (failure.request) {
    forgetAuthorization(failure.request, sent);
    failure.request = describeRequest(failure.request, sent);
  }
  if (failure.config) failure.config = sent.shownConfig;
  for (const key of Reflect.ownKeys(error)) {
    const value: unknown = Reflect.get(error, key);
    if (typeof value === 'string' && value.includes(sent.token)) {
      Reflect.set(error, key, value.replaceAll(sent.token, '[token]'));
    }
  }
  scrubError(failure.cause, sent, seen);
  if (Array.isArray(failure.errors)) failure.errors.forEach((entry) => scrubError(entry, sent, seen));
}

/** What the adapter keeps and may yet put in an error of a body that is read later. */
function forgetAuthorization(request: unknown, { sentConfig }: SentRequest): void {
  sentConfig.headers.delete('Authorization');
  if (typeof Request === 'function' && request instanceof Request) request.headers.delete('authorization');
}

function describeRequest(
  request: unknown,
  { url, shownConfig }: SentRequest,
): RequestDescription | undefined {
  if (typeof request !== 'object' || request === null) return undefined;
  const { method, protocol, host, path, res } = request as Record<string, unknown>;
  const responseUrl = (res as { responseUrl?: unknown } | undefined)?.responseUrl;
  return {
    method: asText(method, (shownConfig.method ?? 'get').toUpperCase()),
    protocol: asText(protocol, url.protocol),
    host: asText(host, url.hostname),
    path: asText(path, url.pathname + url.search),
    ...(typeof responseUrl === 'string' && { res: { responseUrl } }),
  };
}

function asText(value: unknown, fallback: string): string {
  return typeof value === 'string' ? value : fallback;
}

/** The same bytes and errors, without a way to the request. */
function detach(source: Readable, sent: SentRequest): Readable {
  const detached = new PassThrough();
  finished(source, { writable: false }, (error) => {
    if (!error) return;
    scrubError(error, sent);
    detached.destroy(error);
  });
  detached.once('close', () => source.destroy());
  return source.pipe(detached);
}

/**
 * A kept-alive agent knows its sockets, those the requests under way, and those their headers; it stands in the config
 * of every response and error, and `toJSON()` of an AxiosError walks through it.
 * @internal
 */
export function concealConnections({
  httpAgent,
  httpsAgent,
  fetchOptions,
}: InternalAxiosRequestConfig): void {
  const { dispatcher } = (fetchOptions ?? {}) as { dispatcher?: unknown };
  for (const agent of [httpAgent, httpsAgent, dispatcher] as unknown[]) {
    if (typeof agent !== 'object' || agent === null) continue;
    const label = `[${agent.constructor.name}]`;
    Reflect.defineProperty(agent, 'toJSON', { value: () => label });
    Reflect.defineProperty(agent, inspect.custom, { value: () => label });
  }
}
