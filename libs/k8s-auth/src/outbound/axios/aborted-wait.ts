import { CanceledError, type InternalAxiosRequestConfig } from 'axios';
import { within } from '../../shared/within.js';

/**
 * Waits for a token no longer than the `signal` of the request allows: a file system may not answer, and axios looks at
 * the signal only once it sends.
 * @throws {CanceledError} as axios does
 * @internal
 */
export function unlessAborted<T>(waiting: Promise<T>, config: InternalAxiosRequestConfig): Promise<T> {
  const { signal } = config;
  return signal ? within(signal, waiting, () => new CanceledError(undefined, config)) : waiting;
}
