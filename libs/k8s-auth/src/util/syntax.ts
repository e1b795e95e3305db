/** A b64token (RFC 6750 §2.1). The two parts share no character, so matching never backtracks. @internal */
export const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

/** A value that can be sent in a header (RFC 9110 §5.5): Latin-1 without control characters. @internal */
export const HEADER_VALUE = /^[\x20-\x7e\xa0-\xff]+$/;

/**
 * The parsed URL, or `undefined` if the text is not a URL. `URL.canParse` is not used: in Node 20 and 22 it returns false
 * for a valid URL with "ü" after V8 has optimized the call.
 * @internal
 */
export function parseUrl(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}
