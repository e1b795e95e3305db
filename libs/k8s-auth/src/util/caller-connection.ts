/** The connection that a request came in on. @publicApi */
export interface CallerConnection {
  /** The peer's IP address; a proxy's, where one stands in between. Empty when nobody can tell. */
  readonly address: string;
  /** Whether the caller has gone: nobody would read an answer. */
  isClosed(): boolean;
}
