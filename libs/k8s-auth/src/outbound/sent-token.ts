import { type TokensByOrigin } from './k8s-auth-token-source.js';

/**
 * The token of one try, and the origins that its request was sent to. Every client uses this class, so that the rules are
 * the same for all: the token goes to one origin, a redirect to another origin ends that, and a 401 of this origin leads
 * to one replay with another token.
 * @internal
 */
export class SentToken {
  readonly #token: string;
  readonly #header: string;
  /** Whether a redirect has led to another origin. */
  hasLeftOrigin = false;
  /** Whether the visible request lacks the header, because our agent or our fetch adds it when the request is sent. */
  isWithheld = false;
  /** Whether one of our agents has received the request. */
  hasReachedAgent = false;
  /** Whether the request lacked the header, and other code has set another `Authorization` before our agent received it. */
  isOverridden = false;

  /**
   * @param origin the only origin that gets the token
   * @param usesProxy whether the caller has set a proxy for this request; such a proxy may read the token
   * @param isReplay whether another token was rejected before; there is no second replay
   */
  constructor(
    readonly origin: string,
    token: string,
    readonly usesProxy = false,
    readonly isReplay = false,
  ) {
    this.#token = token;
    this.#header = `Bearer ${token}`;
  }

  get token(): string {
    return this.#token;
  }

  get header(): string {
    return this.#header;
  }

  /**
   * Whether the token may be sent to an origin. Must be called for each hop. After a redirect to another origin the result
   * stays false, even if a later redirect leads back: the other server has chosen that URL (RFC 9700 §4.12).
   */
  mayGoTo(origin: string | undefined): boolean {
    this.hasLeftOrigin ||= origin !== this.origin;
    return !this.hasLeftOrigin;
  }

  /**
   * Whether a response means that the token may have been replaced. A 401 from another origin says nothing about the
   * token, because the token was not sent there.
   */
  isRejectedBy(status: number | undefined): boolean {
    return status === 401 && !this.hasLeftOrigin && !this.isReplay;
  }

  /**
   * Checks the token file at once. Call it after {@link isRejectedBy}, and only if the body can be sent again.
   * @returns the token for the replay, or `undefined` if the file contains no other token
   */
  async renewed(tokenSource: TokensByOrigin): Promise<SentToken | undefined> {
    const token = await tokenSource.renewToken?.(this.origin, this.#token);
    return token === undefined ? undefined : new SentToken(this.origin, token, this.usesProxy, true);
  }
}
