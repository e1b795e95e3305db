import { ConfigurationError } from '../errors.js';

/**
 * Waits for both promises.
 * @throws {ConfigurationError} with the mistakes of both, if both reject with one; otherwise the error of the one that rejects
 * @internal
 */
export async function awaitBoth<A, B>(one: Promise<A>, other: Promise<B>): Promise<[A, B]> {
  const outcomes = await Promise.allSettled([one, other]);
  const errors = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [outcome.reason as unknown] : [],
  );
  const [first, second] = errors;
  if (first instanceof ConfigurationError && second instanceof ConfigurationError) {
    throw new ConfigurationError([...first.details, ...second.details], {
      cause: first.cause ?? second.cause,
    });
  }
  // Returns both values, or throws the error of one.
  return Promise.all([one, other]);
}
