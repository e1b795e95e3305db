import { z } from 'zod';
import { parseUrl } from '../util/syntax.js';

/** A service that this one calls with a token of its own. @publicApi */
export interface DestinationOptions {
  /**
   * Scheme, host and port of the service, exactly, with nothing after it: `http://service2.mytest.svc`. Default ports
   * may be left out. Subdomains, other ports and the other scheme are other destinations.
   */
  readonly origin: string;

  /**
   * The file that holds the token, usually of a projected volume. It is read again while the service runs: a token is
   * never used more than 60 s after its file was last read.
   */
  readonly tokenFile: string;

  /**
   * The audience that the token must be issued for, as in the projected volume. A file whose token does not have it in
   * `aud` counts as a failed read, and the error names both.
   * @default `aud` is not checked
   */
  readonly audience?: string;
}

const destinationSchema = z.strictObject({
  origin: z
    .string()
    .refine((text) => bareOriginOf(text) !== undefined, "expected 'http(s)://host' or 'http(s)://host:port'"),
  tokenFile: z.string().min(1, 'expected a path, not an empty one'),
  audience: z.string().min(1, 'expected a name, not an empty one').optional(),
});

/** One token file for an origin: two entries for the same would leave open which of them goes there. @internal */
export const destinationsSchema = z.array(destinationSchema).superRefine(
  (destinations, context) => {
    const firstIndexes = new Map<string, number>();
    // Not checked yet: entries with mistakes of their own are compared too, so that all mistakes are told at once.
    (destinations as readonly ({ readonly origin?: unknown } | null | undefined)[]).forEach(
      (entry, index) => {
        const origin = entry?.origin;
        const normalized = typeof origin === 'string' ? bareOriginOf(origin) : undefined;
        if (normalized === undefined) return;
        const firstIndex = firstIndexes.get(normalized);
        if (firstIndex === undefined) firstIndexes.set(normalized, index);
        else
          context.addIssue({
            code: 'custom',
            path: [index, 'origin'],
            message: `same as that of [${firstIndex}]`,
          });
      },
    );
  },
  { when: ({ value }) => Array.isArray(value) },
);

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
