import * as z from 'zod';
import { parseUrl } from '../util/syntax.js';

/** A service that this service calls with its own token. @publicApi */
export interface DestinationOptions {
  /**
   * Scheme, host and port of the service, and nothing else: `http://service2.mytest.svc`. A default port may be omitted.
   * It is compared exactly: a subdomain, another port or the other scheme is another destination. Another protocol than
   * HTTP needs a port: `nats://nats.mq.svc:4222`. HTTP clients never send the token of such a destination.
   */
  readonly origin: string;

  /**
   * The file that contains the token, usually in a projected volume. It is read again while the service runs: a token is
   * never used more than 60 s after its file was last read.
   */
  readonly tokenFile: string;

  /**
   * The audience that the token must be issued for, as in the projected volume. If `aud` does not include it, the read of
   * the file fails, and the error states both.
   * @default none: `aud` is not checked
   */
  readonly audience?: string;
}

const destinationSchema = z.strictObject({
  origin: z
    .string()
    .refine(
      (text) => bareDestinationOf(text) !== undefined,
      "expected 'http(s)://host' or 'http(s)://host:port', or 'scheme://host:port' for another protocol",
    ),
  tokenFile: z.string().min(1, 'expected a path that is not empty'),
  audience: z.string().min(1, 'expected a name that is not empty').optional(),
});

/** Rejects two entries with the same origin, because it would be unclear which token to send. @internal */
export const destinationsSchema = z.array(destinationSchema).superRefine(
  (destinations, context) => {
    const firstIndexes = new Map<string, number>();
    // The entries may be invalid: duplicates are reported together with all other mistakes.
    (destinations as readonly ({ readonly origin?: unknown } | null | undefined)[]).forEach(
      (entry, index) => {
        const origin = entry?.origin;
        const normalized = typeof origin === 'string' ? bareDestinationOf(origin) : undefined;
        if (normalized === undefined) return;
        const firstIndex = firstIndexes.get(normalized);
        if (firstIndex === undefined) firstIndexes.set(normalized, index);
        else
          context.addIssue({
            code: 'custom',
            path: [index, 'origin'],
            message: `expected a different origin than [${firstIndex}]`,
          });
      },
    );
  },
  { when: ({ value }) => Array.isArray(value) },
);

// Rejects what the URL parser would drop or change silently (user names, a path, an empty query, white space,
// backslashes), and wildcards, which would match nothing.
const BARE_ORIGIN = /^https?:\/\/[^/?#@\\*\s]+\/?$/i;
const BARE_DESTINATION = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\\*\s]+\/?$/i;

/** @returns the URL, or `undefined` if the text is not a URL of http or https @internal */
export function parseHttpUrl(text: string, base?: string): URL | undefined {
  const url = parseUrl(text, base);
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined;
}

/**
 * The origin (RFC 6454 §4) in its normalized form: lower case, without a default port.
 * @returns `undefined` if the text contains more than an origin, or the scheme is not http or https
 * @internal
 */
export function bareOriginOf(text: string): string | undefined {
  return BARE_ORIGIN.test(text) ? parseHttpUrl(text)?.origin : undefined;
}

// The URL parser neither knows the default ports of other protocols nor normalizes their hosts, so a port is required.
const OTHER_ORIGIN =
  /^(?!https?:)([a-z][a-z0-9+.-]*):\/\/(?:[^/?#@\s]*@)?((?:[\w.-]+|\[[\da-f:.]+\]):\d{1,5})(?=[/?#]|$)/i;

/**
 * The origin of a URL of any protocol that a destination can have: normalized, in lower case.
 * @returns `undefined` if the text is not a URL, or is one of another protocol than HTTP without a port
 * @internal
 */
export function originOfUrl(text: string): string | undefined {
  const [, scheme, host] = OTHER_ORIGIN.exec(text) ?? [];
  const url = parseHttpUrl(scheme === undefined ? text : `http://${host}`);
  return scheme === undefined || !url ? url?.origin : `${scheme}://${host}`.toLowerCase();
}

/** Like {@link bareOriginOf}, for destinations of every protocol. @internal */
export function bareDestinationOf(text: string): string | undefined {
  return BARE_DESTINATION.test(text) ? originOfUrl(text) : undefined;
}

/**
 * Whether the value of a `Host` header names the host and port of an origin. A default port may be omitted.
 * @param host the value of the header; a list must have exactly one entry
 * @internal
 */
export function namesHostOf(origin: string, host: unknown): boolean {
  // The usual case, for each request, without parsing.
  if (origin.slice(origin.indexOf('//') + 2) === host) return true;
  const [name, ...others] = [host].flat();
  const text = String(name).trim();
  const scheme = origin.slice(0, origin.indexOf('//'));
  return others.length === 0 && !text.includes('/') && bareOriginOf(`${scheme}//${text}`) === origin;
}
