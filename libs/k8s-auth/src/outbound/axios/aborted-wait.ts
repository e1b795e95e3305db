import { CanceledError, type InternalAxiosRequestConfig } from 'axios';

/**
 * Waits for a token no longer than the `signal` of the request allows: a file system may not answer, and axios looks at
 * the signal only once it sends.
 * @throws {CanceledError} as axios does
 * @internal
 */
export async function unlessAborted<T>(waiting: Promise<T>, config: InternalAxiosRequestConfig): Promise<T> {
  const { signal } = config;
  if (!signal) return waiting;
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(new CanceledError(undefined, config));
  });
  signal.addEventListener?.('abort', abort);
  if (signal.aborted) abort();
  try {
    return await Promise.race([aborted, waiting]);
  } finally {
    signal.removeEventListener?.('abort', abort);
  }
}
