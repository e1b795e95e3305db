import {
  FileTokenSource,
  type FileTokenSourceOptions,
  type TokenSourceState,
} from '../token-file/file-token-source.js';
import { type Log } from '../util/log.js';
import { bareOriginOf, type DestinationOptions, parseHttpUrl } from './destinations.options.js';
import { ConfigurationError } from '../errors.js';

// The mount of the ServiceAccount admission plugin, by either name of the directory.
const POD_TOKEN_FILE = /^(\/var)?\/run\/secrets\/kubernetes\.io\/serviceaccount\/(\.\.data\/)?token$/;
// Where that token belongs.
const API_SERVER_NAME = /^kubernetes(\.default(\.svc(\..+)?)?)?$/;
// Requests choose the origins, so their number has to have an end.
const MAX_NAMED = 100;

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
  // Not #private, which a Proxy around this instance (instrumentation) could not reach. The tokens are, further inside.
  private readonly destinations: Destinations;
  private readonly log: Log;
  /** Origins and files that a log line has named: each is worth one. */
  private readonly named = new Set<string>();

  /** @throws {ConfigurationError} an origin is none */
  constructor(destinations: readonly DestinationOptions[], dependencies: TokenSourceDependencies) {
    this.destinations = new Destinations(destinations, dependencies);
    this.log = dependencies.log;
  }

  /**
   * The token for an origin; a whole URL counts by its origin.
   * @returns `undefined` for an origin that is not listed: call it without a token
   * @throws {TokenSourceError} the file holds no token that could be used: do not call
   */
  async getToken(origin: string): Promise<string | undefined> {
    const destination = this.destinations.find(origin);
    if (!destination) this.nameUnlisted(origin);
    return destination?.source.getToken();
  }

  /** The token if it can be had without waiting; `undefined` says nothing: ask {@link getToken}. @internal */
  peekToken(origin: string): string | undefined {
    return this.destinations.find(origin)?.source.current();
  }

  /**
   * To be called when the origin answered 401: reads the file at once.
   * @returns another token than the rejected one, or `undefined` if there is none
   */
  async renewToken(origin: string, rejected: string): Promise<string | undefined> {
    return this.destinations.find(origin)?.source.renew(rejected);
  }

  /**
   * Every destination, in the order of the options, as its file was last read. Asking counts as use: a file that is
   * due is read in the background, so that a service that calls nobody for a while stays ready.
   */
  states(): readonly DestinationState[] {
    this.hydrate();
    return this.destinations
      .all()
      .map(({ origin, tokenFile, source }) => ({ origin, tokenFile, ...source.state() }));
  }

  /**
   * Starts to read the files that are due, so that the next request finds them read. What fails is logged only, and so is
   * a token that opens the Kubernetes API.
   * @internal
   */
  hydrate(): void {
    for (const destination of this.destinations.all()) {
      const { source, tokenFile } = destination;
      if (POD_TOKEN_FILE.test(tokenFile)) this.warnOfApiToken(destination);
      if (source.current() !== undefined) continue;
      void source.getToken().then(
        () => source.isForApiServer() && this.warnOfApiToken(destination),
        () => {},
      );
    }
  }

  private warnOfApiToken({ origin, tokenFile }: Destination): void {
    if (API_SERVER_NAME.test(new URL(origin).hostname)) return;
    const message =
      "the token of this destination is the pod's token for the Kubernetes API, which the destination could then use as " +
      'this pod; mount a projected token issued for the destination';
    this.nameOnce(`file of ${origin}`, () => this.log.warn({ message, origin, file: tokenFile }));
  }

  private nameUnlisted(url: string): void {
    const origin = parseHttpUrl(url)?.origin;
    const message = 'no token is attached: this origin is not among the destinations';
    if (origin !== undefined) this.nameOnce(origin, () => this.log.log({ message, origin }));
  }

  private nameOnce(topic: string, action: () => void): void {
    if (this.named.has(topic) || this.named.size >= MAX_NAMED) return;
    this.named.add(topic);
    action();
  }
}

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
