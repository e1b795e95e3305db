/** The grammar of RFC 6750 §2.1. One class and one tail of another character: nothing to backtrack over. @internal */
export const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/** What can be sent as the value of a header (RFC 9110 §5.5): Latin-1 without control characters. @internal */
export const HEADER_VALUE = /^[\x20-\x7e\xa0-\xff]+$/;

/**
 * The parsed URL, or `undefined` for text that is none. Not by `URL.canParse`: in Node 20 and 22 it refuses "ü" once V8 has
 * optimized the call.
 * @internal
 */
export function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
