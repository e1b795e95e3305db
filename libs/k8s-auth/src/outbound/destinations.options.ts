import { z } from 'zod';
import { bareOriginOf } from './origin.js';

/** A service that this one calls with a token of its own. @publicApi */
export interface DestinationOptions {
  /**
   * Scheme, host and port of the service, exactly, with nothing after it: `http://service2.mytest.svc`. Default ports
   * may be left out. Subdomains, other ports and the other scheme are other destinations.
   */
  readonly origin: string;

  /** The file that holds the token, usually of a projected volume. It is read again while the service runs. */
  readonly tokenFile: string;

  /**
   * What the token's `aud` has to include; a file with another one is not used, and the error names both.
   * Omitted: `aud` is not looked at.
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
