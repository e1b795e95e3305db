import { type Clock } from '../util/clock.js';

// The Date header has whole seconds, rounded down (RFC 9110 §5.6.7).
const DATE_PRECISION_MS = 1_000;

/**
 * How far our clock is ahead of that of a server, by the `Date` of an answer, milliseconds. Negative: our clock is behind.
 * 0 if the clocks may agree: the server has written the date between the request and the answer, in whole seconds.
 * @returns `undefined` if the answer has no usable date
 * @internal
 */
export function clockOffsetMs(
  date: string | undefined,
  { sentMs, receivedMs }: { readonly sentMs: number; readonly receivedMs: number },
): number | undefined {
  const serverMs = Date.parse(date ?? '');
  if (Number.isNaN(serverMs)) return undefined;
  const leastMs = sentMs - (serverMs + DATE_PRECISION_MS);
  const mostMs = receivedMs - serverMs;
  if (leastMs > 0) return leastMs;
  return mostMs < 0 ? mostMs : 0;
}

/**
 * What the clients of the API server learn about this service itself: the file of its own token, and its clock. One for
 * each `forRoot`. Read by the self check; it never changes a verdict.
 * @internal
 */
export class OwnApiServer {
  /** The file of our own API token. `undefined` if the credential is not a file. */
  tokenFile: string | undefined;
  /** See {@link clockOffsetMs}, of the last answer that had a date. */
  clockOffsetMs: number | undefined;

  constructor(private readonly clock: Clock) {}

  /** @param date the `Date` header of the answer */
  noteAnswer(date: string | undefined, sentMs: number): void {
    const offsetMs = clockOffsetMs(date, { sentMs, receivedMs: this.clock.wallMs() });
    this.clockOffsetMs = offsetMs ?? this.clockOffsetMs;
  }
}
