import { K8sAuthError } from '../errors.js';
import { describeError } from './log.js';

const NAME = /^\w{1,64}$/;
const CODE = /^[A-Z][A-Z0-9_]{1,63}$/;

/**
 * An error that holds nothing but its name, its code and one line of text, without token text. The only errors that
 * are chained as a `cause`, besides those of the library.
 * @internal
 */
export class PlainError extends Error {
  readonly code?: string;

  constructor(name: string, message: string, code?: string) {
    super(message);
    this.name = name;
    if (code !== undefined) this.code = code;
  }
}

/**
 * What is kept of an error that others made: an HTTP parser's error holds the raw bytes of the answer, an HTTP library's
 * the response, a file system's the path, and `inspect` and loggers print all of it. The causes' text is in the message.
 * @internal
 */
export function plainErrorOf(error: unknown): K8sAuthError | PlainError {
  if (error instanceof K8sAuthError || error instanceof PlainError) return error;
  const { name, code, errors } = (error ?? {}) as Readonly<Record<'name' | 'code' | 'errors', unknown>>;
  // Node's own for a host with several addresses: the text is in its members.
  const told: unknown = Array.isArray(errors) && errors.length > 0 ? errors[0] : error;
  return new PlainError(
    typeof name === 'string' && NAME.test(name) ? name : 'Error',
    describeError(told),
    typeof code === 'string' && CODE.test(code) ? code : undefined,
  );
}
