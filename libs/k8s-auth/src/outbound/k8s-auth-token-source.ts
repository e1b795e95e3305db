import { type TokenSourceState } from '../token-file/file-token-source.js';
import { type DestinationOptions } from './destinations.options.js';
import { Destinations, type TokenSourceDependencies } from './destinations.js';

/** How a destination stands, for readiness. @publicApi */
export interface DestinationState extends TokenSourceState {
  readonly origin: string;
  readonly tokenFile: string;
}

/** As much of a {@link K8sAuthTokenSource} as a client needs; without the rest, each 401 stands. @internal */
export type TokensByOrigin = Pick<K8sAuthTokenSource, 'getToken'> &
  Partial<Pick<K8sAuthTokenSource, 'peekToken' | 'renewToken'>>;

/**
 * This service's own tokens, by the origin they are made for. Injectable. What {@link attachK8sAuth} does for axios,
 * it lets you do for any other client:
 *
 * ```ts
 * const token = await tokenSource.getToken(url);
 * await fetch(url, { redirect: 'error', headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
 * ```
 *
 * Ask for each request anew: tokens change under way. Do not let the client follow a redirect with the header.
 * @publicApi
 */
export class K8sAuthTokenSource {
  readonly #destinations: Destinations;

  /** @throws {ConfigurationError} an origin is none */
  constructor(destinations: readonly DestinationOptions[], dependencies: TokenSourceDependencies) {
    this.#destinations = new Destinations(destinations, dependencies);
  }

  /**
   * The token for an origin; a whole URL counts by its origin.
   * @returns `undefined` for an origin that is not listed: call it without a token
   * @throws {TokenSourceError} the file holds no token that could be used: do not call
   */
  async getToken(origin: string): Promise<string | undefined> {
    return this.#destinations.find(origin)?.source.getToken();
  }

  /** The token if it can be had without waiting; `undefined` says nothing: ask {@link getToken}. @internal */
  peekToken(origin: string): string | undefined {
    return this.#destinations.find(origin)?.source.current();
  }

  /**
   * To be called when the origin answered 401: reads the file at once.
   * @returns another token than the rejected one, or `undefined` if there is none
   */
  async renewToken(origin: string, rejected: string): Promise<string | undefined> {
    return this.#destinations.find(origin)?.source.renew(rejected);
  }

  /**
   * Every destination, in the order of the options, as its file was last read. Asking counts as use: a file that is
   * due is read in the background, so that a service that calls nobody for a while stays ready.
   */
  states(): readonly DestinationState[] {
    this.hydrate();
    return this.#destinations
      .all()
      .map(({ origin, tokenFile, source }) => ({ origin, tokenFile, ...source.state() }));
  }

  /** Starts to read the files that are due, so that the next request finds them read. Trouble is logged only. @internal */
  hydrate(): void {
    for (const { source } of this.#destinations.all()) {
      if (source.current() === undefined) void source.getToken().catch(() => {});
    }
  }
}
