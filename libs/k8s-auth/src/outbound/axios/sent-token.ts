/**
 * The token of one try, and what is known of its way. Each redirect is seen by one of axios' hook, the agents and our
 * fetch; all of them report here.
 * @internal
 */
export class SentToken {
  readonly #token: string;
  /** A hop went to another origin. */
  hasLeftOrigin = false;
  /** The header was taken off the visible request, and is added where nobody can look. */
  isWithheld = false;

  /**
   * @param origin the only one that gets the token
   * @param usesProxy the caller has set a proxy for this request, which may read what it forwards
   */
  constructor(
    readonly origin: string,
    token: string,
    readonly usesProxy: boolean,
  ) {
    this.#token = token;
  }

  get token(): string {
    return this.#token;
  }

  get header(): string {
    return `Bearer ${this.#token}`;
  }

  /**
   * To be asked for each hop. Once a hop has left the origin there is no way back: the other server chose the way
   * (RFC 9700 §4.12).
   */
  mayGoTo(origin: string | undefined): boolean {
    this.hasLeftOrigin ||= origin !== this.origin;
    return !this.hasLeftOrigin;
  }
}
