/**
 * The token of one try: who may read it, and what is known of its way. A redirect is seen in several places (axios'
 * hook, the agents, our fetch); each of them reports here, so that there is one answer.
 * @internal
 */
export class SentToken {
  readonly #token: string;
  #isWithheld = false;
  #hasLeft = false;

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
   * Called for each hop. Once a hop has left the origin there is no way back: the other server chose the way
   * (RFC 9700 §4.12).
   * @returns whether the token may go there
   */
  mayGoTo(origin: string | undefined): boolean {
    this.#hasLeft ||= origin !== this.origin;
    return !this.#hasLeft;
  }

  /** A hop went to another origin. */
  get hasLeftOrigin(): boolean {
    return this.#hasLeft;
  }

  /** Called by the part that has taken the header off the visible request and adds it where nobody can look. */
  withhold(): void {
    this.#isWithheld = true;
  }

  get isWithheld(): boolean {
    return this.#isWithheld;
  }
}
