import {
  FileTokenSource,
  type FileTokenSourceOptions,
  type TokenSourceState,
} from '../token-file/file-token-source.js';
import { type Log } from '../util/log.js';
import { type Clock } from '../util/clock.js';
import { DestinationHints } from './destination-hints.js';
import { bareDestinationOf, type DestinationOptions, originOfUrl } from './destinations.options.js';
import { ConfigurationError } from '../errors.js';

// The token that the ServiceAccount admission plugin mounts, by both names of its directory.
const POD_TOKEN_FILE = /^(\/var)?\/run\/secrets\/kubernetes\.io\/serviceaccount\/(\.\.data\/)?token$/;
// The host names of the API server, which that token is issued for.
const API_SERVER_NAME = /^kubernetes(\.default(\.svc(\..+)?)?)?$/;

/** The state of a destination and its token file, for readiness. @publicApi */
export interface DestinationState extends TokenSourceState {
  readonly origin: string;
  readonly tokenFile: string;
}

/** The part of a {@link K8sAuthTokenSource} that a client needs. Without `renewToken`, a 401 is not retried. @internal */
export type TokensByOrigin = Pick<K8sAuthTokenSource, 'getToken'> &
  Partial<Pick<K8sAuthTokenSource, 'peekToken' | 'renewToken' | 'noteUnauthorized'>>;

/**
 * The tokens of this service for its destinations, by origin. Injectable. For HTTP and gRPC use {@link attachK8sAuth},
 * {@link createK8sAuthFetch}, {@link k8sAuthInterceptor} or {@link k8sAuthGrpcInterceptor}. For clients of other protocols
 * get the token for each connection, because tokens are replaced:
 *
 * ```ts
 * new Pool({ host: 'db.shop.svc', password: () => tokenSource.getToken('postgres://db.shop.svc:5432') });
 * ```
 * @publicApi
 */
export class K8sAuthTokenSource {
  // Not #private: a Proxy around this instance, as instrumentation makes it, could not use them. The tokens are #private in the file's source.
  private readonly destinations: Destinations;
  private readonly log: Log;
  private readonly clock: Clock;
  private readonly hints: DestinationHints;
  /** The destinations whose token file has been logged: each is logged once. */
  private readonly loggedOrigins = new Set<string>();

  /** @throws {ConfigurationError} an origin is invalid */
  constructor(destinations: readonly DestinationOptions[], dependencies: TokenSourceDependencies) {
    this.destinations = new Destinations(destinations, dependencies);
    this.log = dependencies.log;
    this.clock = dependencies.clock;
    const origins = this.destinations.all().map(({ origin }) => origin);
    this.hints = new DestinationHints(origins, dependencies.log);
  }

  /**
   * The token for an origin. The argument may also be a complete URL.
   * @returns `undefined` if the origin is not a destination: send the request without a token
   * @throws {TokenSourceError} the file does not contain a usable token: do not send the request
   */
  async getToken(origin: string): Promise<string | undefined> {
    const destination = this.destinations.find(origin);
    if (destination) destination.isUsed = true;
    else this.hints.noteUnlistedCall(origin);
    return destination?.source.getToken();
  }

  /** The token, if it is available without waiting. `undefined`: call {@link getToken}. @internal */
  peekToken(origin: string): string | undefined {
    const destination = this.destinations.find(origin);
    if (destination) destination.isUsed = true;
    return destination?.source.current();
  }

  /**
   * Checks the token file at once. Call it when the origin has answered 401.
   * @returns a token that differs from the rejected one, or `undefined` if there is none
   */
  async renewToken(origin: string, rejected: string): Promise<string | undefined> {
    return this.destinations.find(origin)?.source.renew(rejected);
  }

  /**
   * Call it when an origin that is not listed has answered 401. Warns once if the origin seems to be a destination.
   * @internal
   */
  noteUnauthorized(origin: string): void {
    this.hints.noteUnauthorized(origin);
  }

  /**
   * Warns after 10 minutes about the destinations that no request has used until then.
   * @returns a function that cancels the warning
   * @internal
   */
  watchUse(): () => void {
    const findUnused = () => this.destinations.all().filter(({ isUsed }) => !isUsed);
    return this.hints.warnOfUnused(this.clock, () => findUnused().map(({ origin }) => origin));
  }

  /**
   * The state of every destination, in the order of the options. It also starts the reads that are due, in the
   * background, so that a service stays ready while it sends no requests.
   */
  states(): readonly DestinationState[] {
    this.readDueFiles();
    return this.destinations
      .all()
      .map(({ origin, tokenFile, source }) => ({ origin, tokenFile, ...source.state() }));
  }

  /**
   * Starts the reads that are due, so that the next request does not wait for them. Failures are only logged. A token
   * that the Kubernetes API accepts is logged too.
   * @internal
   */
  readDueFiles(): void {
    for (const destination of this.destinations.all()) {
      const { source, tokenFile } = destination;
      if (POD_TOKEN_FILE.test(tokenFile)) this.warnAboutApiToken(destination);
      if (source.current() !== undefined) continue;
      void source.getToken().then(
        () => source.isForApiServer() && this.warnAboutApiToken(destination),
        () => {},
      );
    }
  }

  private warnAboutApiToken({ origin, tokenFile }: Destination): void {
    if (API_SERVER_NAME.test(new URL(origin).hostname)) return;
    const message =
      "the token of this destination is the pod's token for the Kubernetes API, which the destination could then use as " +
      'this pod; mount a projected token issued for the destination';
    if (this.loggedOrigins.has(origin)) return;
    this.loggedOrigins.add(origin);
    this.log.warn({ message, origin, file: tokenFile });
  }
}

/** The dependencies of every token source. @internal */
export type TokenSourceDependencies = Omit<FileTokenSourceOptions, 'file' | 'audience'>;

/** An origin that gets a token, and the source of the token. @internal */
export interface Destination {
  readonly origin: string;
  readonly tokenFile: string;
  readonly source: FileTokenSource;
  /** Whether a token was asked for. */
  isUsed: boolean;
}

/**
 * The origins that get a token. Only listed origins get one; they are compared exactly. Destinations with the same file
 * and audience share the reads of the file.
 * @internal
 */
export class Destinations {
  private readonly byOrigin = new Map<string, Destination>();

  /** @throws {ConfigurationError} an origin is invalid */
  constructor(options: readonly DestinationOptions[], dependencies: TokenSourceDependencies) {
    const sources = new Map<string, FileTokenSource>();
    options.forEach(({ origin: text, tokenFile, audience }, index) => {
      const origin = bareDestinationOf(text);
      if (origin === undefined)
        throw new ConfigurationError([`option 'destinations[${index}].origin': expected an origin`]);
      const key = JSON.stringify([tokenFile, audience]);
      const source = sources.get(key) ?? new FileTokenSource({ file: tokenFile, audience, ...dependencies });
      sources.set(key, source);
      this.byOrigin.set(origin, { origin, tokenFile, source, isUsed: false });
    });
  }

  /** @returns `undefined` if the origin is not listed, or the text is not a URL */
  find(urlOrOrigin: string): Destination | undefined {
    const known = this.byOrigin.get(urlOrOrigin);
    if (known || this.byOrigin.size === 0) return known;
    const origin = originOfUrl(urlOrOrigin);
    return origin === undefined ? undefined : this.byOrigin.get(origin);
  }

  all(): Destination[] {
    return [...this.byOrigin.values()];
  }
}
