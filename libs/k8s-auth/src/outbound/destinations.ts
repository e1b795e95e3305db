import { ConfigurationError } from '../errors.js';
import { FileTokenSource, type FileTokenSourceOptions } from '../token-file/file-token-source.js';
import { type DestinationOptions } from './destinations.options.js';
import { bareOriginOf, parseHttpUrl } from './origin.js';

/** What every token source is made with. @internal */
export type TokenSourceDependencies = Omit<FileTokenSourceOptions, 'file' | 'audience'>;

/** An origin that gets tokens, and where they come from. @internal */
export interface Destination {
  readonly origin: string;
  readonly tokenFile: string;
  readonly source: FileTokenSource;
}

/**
 * Which origins get a token: the listed ones, compared exactly, and no others. Destinations that share a file and an
 * audience share its reads.
 * @internal
 */
export class Destinations {
  readonly #byOrigin = new Map<string, Destination>();

  /** @throws {ConfigurationError} an origin is none */
  constructor(options: readonly DestinationOptions[], dependencies: TokenSourceDependencies) {
    const sources = new Map<string, FileTokenSource>();
    options.forEach(({ origin: text, tokenFile, audience }, index) => {
      const origin = bareOriginOf(text);
      if (origin === undefined)
        throw new ConfigurationError([`option 'destinations[${index}].origin': no origin`]);
      const key = JSON.stringify([tokenFile, audience]);
      const source = sources.get(key) ?? new FileTokenSource({ file: tokenFile, audience, ...dependencies });
      sources.set(key, source);
      this.#byOrigin.set(origin, { origin, tokenFile, source });
    });
  }

  /** @param urlOrOrigin what is no URL of http or https is not listed */
  find(urlOrOrigin: string): Destination | undefined {
    const known = this.#byOrigin.get(urlOrOrigin);
    if (known || this.#byOrigin.size === 0) return known;
    const origin = parseHttpUrl(urlOrOrigin)?.origin;
    return origin === undefined ? undefined : this.#byOrigin.get(origin);
  }

  all(): Destination[] {
    return [...this.#byOrigin.values()];
  }
}
