import { VerifierUnavailableError } from '../errors.js';
import { type Clock } from '../util/clock.js';
import { describeError, type Log } from '../util/log.js';
import { type Deadline, type OwnDeadline, repeat, startDeadline } from '../util/timers.js';
import { NoAnswerError, OutageError } from './retry-policy.js';

// The time from the start of one probe to the start of the next, and the timeout of each probe. So the first caller is
// served at most one second after the API server recovers, even if the previous probe was still waiting.
const PROBE_PERIOD_MS = 500;

export interface CircuitBreakerContext {
  readonly clock: Clock;
  readonly log: Log;
  /** The timeout of each call. */
  readonly timeoutMs: number;
  /** Sends a request to the API server. Reports an answer with {@link CircuitBreaker.noteAnswer}. */
  readonly probe: (deadline: Deadline) => Promise<unknown>;
}

/** A call that may run until its deadline. */
export interface PermittedCall {
  readonly deadline: OwnDeadline;
  readonly startedMs: number;
  /** The breaker's count of answers when the call began. */
  readonly answersBefore: number;
}

/**
 * Prevents callers from waiting for an API server that does not answer. Input: the start and the end of each call, and
 * every answer of the API server; output: the deadline of a call, or an immediate refusal.
 *
 * - Opens when a call has waited for an answer or for its retries and failed, and no other call has received an answer
 *   since that call began that proves that the API server works. A slow answer and a refusal (4xx except 429) prove
 *   this; a failure status (5xx, 429) does not, because a load balancer also sends it. An immediate failure does not
 *   open the breaker: no caller waits because of it, and a probe would not be faster. If our own credential cannot be
 *   read in time, this counts like an API server that does not answer.
 * - While it is open, every call is refused immediately, and running calls are aborted. A probe starts every 500 ms,
 *   one at a time, with or without traffic. The first answer that proves that the API server works closes the breaker.
 *   If the API server is too slow for these probes, one more probe runs beside them with the timeout of a call.
 * @internal
 */
export class CircuitBreaker {
  private readonly activeDeadlines = new Set<OwnDeadline>();
  private answers = 0;
  private outage?: {
    readonly error: OutageError;
    readonly sinceMs: number;
    readonly stopProbing: () => void;
  };
  private isLongProbeRunning = false;
  private isStopped = false;

  constructor(private readonly context: CircuitBreakerContext) {}

  get isOpen(): boolean {
    return this.outage !== undefined;
  }

  /**
   * Permits a call to begin. Each permitted call must {@link leave}.
   * @throws {VerifierUnavailableError} immediately during an outage
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
   * Ends a call, successful or not.
   * @param failure the error of a call that failed
   * @throws {VerifierUnavailableError} the call failed, and an outage was detected in the meantime
   */
  leave({ deadline, startedMs, answersBefore }: PermittedCall, failure?: unknown): void {
    const hasWaited = deadline.isOver || this.context.clock.monotonicMs() - startedMs >= PROBE_PERIOD_MS;
    this.endDeadline(deadline);
    if (failure === undefined) return;
    this.assertNoOutage();
    const isUnanswered = this.answers === answersBefore;
    if (failure instanceof OutageError && hasWaited && isUnanswered) this.open(failure);
  }

  /** The API server has answered a call or a probe, and the answer was not a failure. */
  noteAnswer(): void {
    const { clock, log } = this.context;
    this.answers++;
    if (!this.outage) return;
    const { sinceMs, stopProbing } = this.outage;
    this.outage = undefined;
    stopProbing();
    // During an outage only probes are running.
    this.abortAll('API server has answered');
    log.log({ message: 'API server answers again', outageMs: Math.round(clock.monotonicMs() - sinceMs) });
  }

  /**
   * The API server has answered a request that is not a call, or a probe has connected to it. If the API server is
   * slow, the probes time out too early. So this starts one more probe with the timeout of a call.
   */
  noteReachable(): void {
    if (!this.outage || this.isStopped || this.isLongProbeRunning) return;
    this.isLongProbeRunning = true;
    void this.probe(this.context.timeoutMs).finally(() => (this.isLongProbeRunning = false));
  }

  /** Ends the probes permanently. Running calls may still finish. */
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
    this.abortAll(error.outageMessage);
    const message = `${error.outageMessage}: requests are refused with 503 until it recovers`;
    log.warn({ message, reason: describeError(error) });
  }

  /** Never rejects. */
  private async probe(timeoutMs: number): Promise<void> {
    const deadline = this.startDeadline(timeoutMs);
    try {
      await this.context.probe(deadline);
    } catch (error) {
      if (error instanceof NoAnswerError && error.wasReached) this.noteReachable();
    } finally {
      this.endDeadline(deadline);
    }
  }

  private startDeadline(timeoutMs: number): OwnDeadline {
    const deadline = startDeadline(this.context.clock, timeoutMs);
    this.activeDeadlines.add(deadline);
    return deadline;
  }

  private endDeadline(deadline: OwnDeadline): void {
    this.activeDeadlines.delete(deadline);
    deadline.cancel();
  }

  private abortAll(reason: string): void {
    for (const deadline of this.activeDeadlines) deadline.abort(new VerifierUnavailableError(reason));
  }

  private assertNoOutage(): void {
    if (this.outage) throw this.outage.error.refusal();
  }
}
