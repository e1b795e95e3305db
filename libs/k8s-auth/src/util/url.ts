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
