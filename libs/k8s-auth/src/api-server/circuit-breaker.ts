import { VerifierUnavailableError } from '../errors.js';
import { type Clock } from '../util/clock.js';
import { describeError, type Log } from '../util/log.js';
import { type Deadline, type OwnDeadline, repeat, startDeadline } from '../util/timers.js';
import { NoAnswerError, OutageError } from './retry-policy.js';

// From the start of one probe to the start of the next, and the time of each: so the first caller is served at most a
// second after the API server is back, also when the probe before was still waiting for it.
const PROBE_PERIOD_MS = 500;

export interface CircuitBreakerContext {
  readonly clock: Clock;
  readonly log: Log;
  /** Of each call. */
  readonly timeoutMs: number;
  /** Asks the API server for an answer. What comes of it is told by {@link CircuitBreaker.noteAnswer}. */
  readonly probe: (deadline: Deadline) => Promise<unknown>;
}

/** A call that may run until its deadline. */
export interface PermittedCall {
  readonly deadline: OwnDeadline;
  readonly startedMs: number;
  /** How many answers of use the breaker knew of when the call began. */
  readonly answersBefore: number;
}

/**
 * Keeps callers from waiting for an API server that does not answer. Input: the start and the end of each call, and
 * every answer of the API server; output: the deadline of a call, or an immediate refusal.
 *
 * - Opens when a call has waited in vain, for an answer or from try to try, and nobody else has had an answer that shows
 *   that the API server works since that call began. A slow one and one that refuses us show that; a status of failure
 *   (5xx, 429) does not, because a load balancer gives it as well.
 *   A failure that comes at once opens nothing either: it makes nobody wait, and a probe would not be sooner. An own
 *   credential that cannot be read in time counts like an API server that does not answer.
 * - While it is open, every call is refused at once, those under way too, and one probe at a time looks every 500 ms
 *   whether the API server is back, with or without traffic. The first answer that shows it closes it. Beside the probes for which
 *   the API server is too slow, one waits as long as a call would.
 * @internal
 */
export class CircuitBreaker {
  private readonly underWay = new Set<OwnDeadline>();
  private answers = 0;
  private outage?: {
    readonly error: OutageError;
    readonly sinceMs: number;
    readonly stopProbing: () => void;
  };
  private isProbingPatiently = false;
  private isStopped = false;

  constructor(private readonly context: CircuitBreakerContext) {}

  /**
   * Lets a call begin. A call that was let in has to {@link leave}.
   * @throws {VerifierUnavailableError} at once during an outage
   */
  enter(): PermittedCall {
    this.assertNoOutage();
    const { clock, timeoutMs } = this.context;
    return {
      deadline: this.startDeadline(timeoutMs),
      startedMs: clock.monotonicMs(),
      answersBefore: this.answers,
    };
  }

  /**
   * Ends a call, whatever came of it.
   * @param failure the error that it failed with
   * @throws {VerifierUnavailableError} the call failed, and an outage was found meanwhile
   */
  leave({ deadline, startedMs, answersBefore }: PermittedCall, failure?: unknown): void {
    const hasWaited =
      deadline.signal.aborted || this.context.clock.monotonicMs() - startedMs >= PROBE_PERIOD_MS;
    this.endDeadline(deadline);
    if (failure === undefined) return;
    this.assertNoOutage();
    const isDown = this.answers === answersBefore;
    if (failure instanceof OutageError && hasWaited && isDown) this.open(failure);
  }

  /** The API server has answered a call or a probe, and not with a failure. */
  noteAnswer(): void {
    const { clock, log } = this.context;
    this.answers++;
    if (!this.outage) return;
    const { sinceMs, stopProbing } = this.outage;
    this.outage = undefined;
    stopProbing();
    // Only probes are under way.
    this.abortAll('API server has answered');
    log.log({ message: 'API server answers again', outageMs: Math.round(clock.monotonicMs() - sinceMs) });
  }

  /**
   * The API server has answered something else than a call, or was reached by a probe. If it is slow, the probes are too
   * short for it: then one is made beside them that has the time of a call.
   */
  noteSignOfLife(): void {
    if (!this.outage || this.isStopped || this.isProbingPatiently) return;
    this.isProbingPatiently = true;
    void this.probe(this.context.timeoutMs).finally(() => (this.isProbingPatiently = false));
  }

  /** Ends the probes, for good. Calls under way may still finish. */
  stop(): void {
    this.isStopped = true;
    this.outage?.stopProbing();
    if (this.outage) this.abortAll('verifier was closed');
  }

  private open(error: OutageError): void {
    if (this.isStopped) return;
    const { clock, log } = this.context;
    const sinceMs = clock.monotonicMs();
    let startedMs = -Infinity;
    const stopProbing = repeat(
      clock,
      () => Math.max(0, startedMs + PROBE_PERIOD_MS - clock.monotonicMs()),
      () => {
        startedMs = clock.monotonicMs();
        return this.probe(PROBE_PERIOD_MS);
      },
    );
    this.outage = { error, sinceMs, stopProbing };
    this.abortAll(error.outage);
    const message = `${error.outage}: requests are refused with 503 until it answers`;
    log.warn({ message, reason: describeError(error) });
  }

  /** Never rejects. */
  private async probe(timeoutMs: number): Promise<void> {
    const deadline = this.startDeadline(timeoutMs);
    try {
      await this.context.probe(deadline);
    } catch (error) {
      if (error instanceof NoAnswerError && error.wasReached) this.noteSignOfLife();
    } finally {
      this.endDeadline(deadline);
    }
  }

  private startDeadline(timeoutMs: number): OwnDeadline {
    const deadline = startDeadline(this.context.clock, timeoutMs);
    this.underWay.add(deadline);
    return deadline;
  }

  private endDeadline(deadline: OwnDeadline): void {
    this.underWay.delete(deadline);
    deadline.cancel();
  }

  private abortAll(reason: string): void {
    for (const deadline of this.underWay) deadline.abort(new VerifierUnavailableError(reason));
  }

  private assertNoOutage(): void {
    if (!this.outage) return;
    const { error } = this.outage;
    throw new VerifierUnavailableError(error.outage, { cause: error });
  }
}
