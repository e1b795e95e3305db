import { InvalidTokenError, K8sAuthError, type K8sAuthErrorCode } from '../errors.js';

/**
 * Work that takes time: `verify`, a verification that memory could not answer, or `review`, one question to the API server
 * about a token. A request whose verdict is in memory causes neither. Requests with the same token that arrive together
 * share one.
 * @publicApi
 */
export interface Operation {
  readonly name: 'verify' | 'review';
  /** The kind of the verifier. */
  readonly verifier: string;
  /** The API server of a `review`. */
  readonly serverUrl?: string;
}

/** How an operation ended. @publicApi */
export interface OperationResult {
  readonly outcome: 'accepted' | 'rejected' | 'unavailable';
  /** The reason, one of a closed set. Omitted if the token was accepted, or if the error is not one of this library. */
  readonly code?: K8sAuthErrorCode;
  /** The caller of an accepted token. */
  readonly username?: string;
}

/** Watches one operation. @publicApi */
export interface OperationObserver {
  /** Calls `work` once, for example in a context of its own. What it returns is ignored. */
  run?(work: () => unknown): void;
  /** Called once, when the operation has ended. */
  end(result: OperationResult): void;
}

/** @internal */
export interface ObservedWork<Result> {
  readonly work: () => Result | Promise<Result>;
  readonly observers: readonly OperationObserver[];
  /** The caller of an accepted token. */
  readonly usernameOf: (result: Result) => string;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Runs the work with its observers. Its result is the result of the work, whatever the observers do.
 * @throws what the work throws
 * @internal
 */
export function runObserved<Result>(observed: ObservedWork<Result>): Result | Promise<Result> {
  const { work, observers, usernameOf } = observed;
  const run = observers.reduceRight((inner, observer) => () => runWith(observer, inner, observed), work);
  try {
    const result = run();
    if (!(result instanceof Promise)) return endAll(observed, accepted(usernameOf(result)), result);
    return result.then(
      (settled) => endAll(observed, accepted(usernameOf(settled)), settled),
      (error: unknown) => {
        throw endAll(observed, refused(error), error);
      },
    );
  } catch (error) {
    throw endAll(observed, refused(error), error);
  }
}

function runWith<Result>(
  observer: OperationObserver,
  work: () => Result,
  { onFailure }: Pick<ObservedWork<unknown>, 'onFailure'>,
): Result {
  let settled: { readonly result: Result } | { readonly error: unknown } | undefined;
  try {
    observer.run?.(() => {
      settled ??= settle(work);
      if ('error' in settled) throw settled.error;
      return settled.result;
    });
  } catch (error) {
    if (!settled) onFailure(error);
  }
  settled ??= settle(work);
  if ('error' in settled) throw settled.error;
  return settled.result;
}

function settle<Result>(work: () => Result): { readonly result: Result } | { readonly error: unknown } {
  try {
    return { result: work() };
  } catch (error) {
    return { error };
  }
}

/** @returns `value`, so that it can be returned or thrown */
function endAll<Value>(
  { observers, onFailure }: Pick<ObservedWork<unknown>, 'observers' | 'onFailure'>,
  result: OperationResult,
  value: Value,
): Value {
  for (const observer of observers) {
    try {
      observer.end(result);
    } catch (error) {
      onFailure(error);
    }
  }
  return value;
}

function accepted(username: string): OperationResult {
  return { outcome: 'accepted', username };
}

function refused(error: unknown): OperationResult {
  const outcome = error instanceof InvalidTokenError ? 'rejected' : 'unavailable';
  return { outcome, ...(error instanceof K8sAuthError && { code: error.code }) };
}
