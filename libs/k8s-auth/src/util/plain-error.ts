import { K8sAuthError } from '../errors.js';
import { describeError } from './log.js';

const NAME = /^\w{1,64}$/;
const CODE = /^[A-Z][A-Z0-9_]{1,63}$/;

/**
 * An error with only a name, a code and one line of text, which contains no token text. A `cause` is always a
 * `PlainError` or an error of this library.
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
 * Converts an error of Node or another library, so that it is safe to print. The original may hold the raw bytes of a
 * response (HTTP parser), a response object (HTTP library) or a path (file system), and `inspect` and loggers print all
 * of it. The message includes the text of the causes.
 * @internal
 */
export function plainErrorOf(error: unknown): K8sAuthError | PlainError {
  if (error instanceof K8sAuthError || error instanceof PlainError) return error;
  const { name, code, errors } = (error ?? {}) as Readonly<Record<'name' | 'code' | 'errors', unknown>>;
  // An AggregateError of Node, for a host with several addresses: only the inner errors have a text.
  const described: unknown = Array.isArray(errors) && errors.length > 0 ? errors[0] : error;
  return new PlainError(
    typeof name === 'string' && NAME.test(name) ? name : 'Error',
    describeError(described),
    typeof code === 'string' && CODE.test(code) ? code : undefined,
  );
}
