/** An AbortSignal, or as much of one as HTTP clients ask of their callers. */
type Abortable = Pick<AbortSignal, 'aborted'> &
  Partial<Pick<AbortSignal, 'reason' | 'addEventListener' | 'removeEventListener'>>;

/**
 * The promise's outcome, or the signal's reason if that comes first. What is too late is dropped.
 * @param reasonOf what to reject with instead
 * @internal
 */
export function within<Value>(
  signal: Abortable,
  promise: Promise<Value>,
  reasonOf: () => unknown = () => signal.reason,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- an abort reason is what the aborter made it
    const abort = () => reject(reasonOf());
    if (signal.aborted) abort();
    else signal.addEventListener?.('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener?.('abort', abort));
  });
}
