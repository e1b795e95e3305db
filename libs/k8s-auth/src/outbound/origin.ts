// What the URL parser would drop or repair silently: user names, a path, an empty query, white space, backslashes, and
// wildcards, which match nothing.
const BARE_ORIGIN = /^https?:\/\/[^/?#@\\*\s]+\/?$/i;

/** @returns the URL if it is one of http or https, else `undefined` @internal */
export function parseHttpUrl(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined;
}

/**
 * The origin (RFC 6454 §4) in its one way of writing: lower case, without a default port.
 * @returns `undefined` for what is more than an origin, or none of http or https
 * @internal
 */
export function bareOriginOf(text: string): string | undefined {
  return BARE_ORIGIN.test(text) ? parseHttpUrl(text)?.origin : undefined;
}
