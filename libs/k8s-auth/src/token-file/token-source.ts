/** A token that changes under way: the file of one projected volume. */
export interface TokenSource {
  /** The token if it can be used as it is, without waiting: the hot path. `undefined`: ask {@link getToken}. */
  current(): string | undefined;

  /**
   * The token, after reading the file where that is due.
   * @throws {TokenSourceError} there is none, or none that has not expired
   */
  getToken(): Promise<string>;

  /**
   * Reads the file at once, because `rejected` was answered with 401. Concurrent calls share one read.
   * @returns another token than the rejected one, or `undefined` if the file holds no other
   */
  renew(rejected: string): Promise<string | undefined>;
}
