import { VerifierUnavailableError } from '../errors.js';
import { plainErrorOf } from '../util/plain-error.js';

/** The API server was asked and did not answer: it could not be reached, or was silent until the deadline. @internal */
export class NoAnswerError extends VerifierUnavailableError {
  /** What callers are told who are refused because of it. */
  readonly outage: string = 'API server is unreachable';
  /** It was reached, and had the request. */
  readonly wasReached: boolean;

  constructor(message: string, { cause, wasReached = false }: { cause?: Error; wasReached?: boolean } = {}) {
    super(message, { cause });
    this.wasReached = wasReached;
  }
}

/** There is no credential to ask the API server with, which is as good as no API server. @internal */
export class OwnCredentialUnreadableError extends NoAnswerError {
  // The name of the public class: that there is a subclass is the breaker's business.
  override name = VerifierUnavailableError.name;
  override readonly outage = 'API server cannot be called without our own credential';
}

/** A failure that may pass: the only kind that is tried again. @internal */
export class PassingFailure extends Error {
  constructor(readonly unavailable: VerifierUnavailableError) {
    super(unavailable.message);
  }
}

/** What callers of the client see of any failure. @internal */
export function unavailable(error: unknown): VerifierUnavailableError {
  if (error instanceof VerifierUnavailableError) return error;
  return new VerifierUnavailableError('no usable answer of the API server', { cause: plainErrorOf(error) });
}
