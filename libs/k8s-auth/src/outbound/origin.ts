import { parseUrl } from '../util/syntax.js';

// What the URL parser would drop or repair silently: user names, a path, an empty query, white space, backslashes, and
// wildcards, which match nothing.
const BARE_ORIGIN = /^https?:\/\/[^/?#@\\*\s]+\/?$/i;

/** @returns the URL if its scheme is http or https, else `undefined` @internal */
export function parseHttpUrl(text: string, base?: string): URL | undefined {
  const url = parseUrl(text, base);
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined;
}

/**
 * The origin (RFC 6454 §4) in its one way of writing: lower case, without a default port.
 * @returns `undefined` for text that holds more than an origin, or for another scheme than http or https
 * @internal
 */
export function bareOriginOf(text: string): string | undefined {
  return BARE_ORIGIN.test(text) ? parseHttpUrl(text)?.origin : undefined;
}

/**
 * Whether the value of a `Host` header names the host and port of an origin. A default port may be left out.
 * @param host a list counts only if it has one entry
 * @internal
 */
export function namesHostOf(origin: string, host: unknown): boolean {
  const [name, ...others] = [host].flat();
  const text = String(name).trim();
  const scheme = origin.slice(0, origin.indexOf('//'));
  return others.length === 0 && !text.includes('/') && bareOriginOf(`${scheme}//${text}`) === origin;
}
