import { OwnCredentialRefusedError } from '../api-server/own-credential.js';
import { readRetryAfterMs } from '../api-server/retry-policy.js';
import { VerifierUnavailableError } from '../errors.js';
import { type Clock } from '../util/clock.js';
import { describeError, type Log, OncePerMinute } from '../util/log.js';
import { type FailureEffect } from '../util/refreshed.js';
import { isRightMissing, KeySourceError } from './key-source.js';

// An API server that refuses our own credential may have removed the key that signed our token. That key must not be
// used here for long. This leaves time for some attempts, because an API server that has just started refuses
// everybody for a short time.
const MAX_AGE_AFTER_REFUSAL_MS = 10 * 60_000;

/**
 * The failed fetches of one key source: reports each one, and says what it means for the next fetch and for the keys of
 * the last successful one.
 * @internal
 */
export class KeyFailures {
  /** The number of fetches in a row that failed because we lack the right to read. */
  rightMissingCount = 0;
  private readonly onceAMinute: OncePerMinute;

  /** @param onFailure is told the reason of each failure, before it is logged */
  constructor(
    private readonly context: { readonly clock: Clock; readonly log: Log },
    private readonly onFailure: (reason: string) => void,
  ) {
    this.onceAMinute = new OncePerMinute(context.clock);
  }

  noteSuccess(): void {
    this.rightMissingCount = 0;
  }

  note(error: unknown): FailureEffect {
    const lacksRight = isRightMissing(error);
    this.rightMissingCount = lacksRight ? this.rightMissingCount + 1 : 0;
    const reason = describeError(error);
    this.onFailure(reason);
    const message = `keys could not be fetched: ${reason}`;
    this.onceAMinute.run(lacksRight ? 'right' : 'fetch', () => {
      if (lacksRight) this.context.log.error({ message });
      else this.context.log.warn({ message });
    });
    return {
      pauseMs: retryAfterMsOf(error, this.context.clock),
      ...(error instanceof OwnCredentialRefusedError && { maxAgeMs: MAX_AGE_AFTER_REFUSAL_MS }),
    };
  }
}

/** The pause that the issuer or the API server has asked for. */
function retryAfterMsOf(error: unknown, clock: Clock): number {
  if (error instanceof VerifierUnavailableError) return error.retryAfterMs;
  if (!(error instanceof KeySourceError)) return 0;
  return readRetryAfterMs(error.retryAfter, clock.wallMs()) ?? 0;
}
