import { parseHttpUrl } from '../destinations.options.js';

/** One request in a chain of redirects. @internal */
export interface Hop {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly hasBody: boolean;
}

// The redirect statuses of the Fetch standard, and the headers that its "HTTP-redirect fetch" removes.
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
 * @returns the location that a response redirects to, or `undefined` if it is not a redirect
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

/** A network error in the form of Node's fetch, which axios recognizes. @internal */
export function networkError(reason: string): TypeError {
  return new TypeError('fetch failed', { cause: new Error(reason) });
}

/** A copy of headers without some of them. The names are in lower case. @internal */
export function without(headers: Hop['headers'], names: readonly string[]): Hop['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}
