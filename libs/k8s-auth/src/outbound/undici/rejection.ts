import { redact } from '../secrecy.js';
import { type SentToken } from '../sent-token.js';
import { type StartContext } from './handlers.js';

/** The rest of a replaced response is read up to this size, so that the connection can be used again. */
const MAX_DRAINED_BYTES = 65_536;

/** The connection of a request, as both interfaces of undici offer it. */
export interface Flow {
  resume(): void;
  abort(reason: Error): void;
}

/**
 * Holds back a response that rejects the token, until it is known whether the request is repeated. Then the handler gets
 * either the response, or nothing, because the replay reports to it.
 * @internal
 */
export class Rejection {
  #state: 'none' | 'held' | 'passed' | 'replaced' = 'none';
  #events: (() => void)[] = [];
  #drainedBytes = 0;
  #history: readonly URL[] = [];

  /** @param repeat sends the request again with another token; returns false if there is none */
  constructor(
    private readonly sent: SentToken,
    private readonly repeat: (() => Promise<(() => void) | undefined>) | undefined,
  ) {}

  /** Call it when a request starts. The list of an inner redirect interceptor grows later. */
  start(context: StartContext | undefined): void {
    this.#history = context?.history ?? [];
  }

  /** Whether a response must be held back. The caller then pauses the connection. */
  holds(status: number, flow: Flow, event: () => void): boolean {
    const hops = this.#history.map(({ origin }) => this.sent.mayGoTo(origin));
    if (!this.repeat || !this.sent.isRejectedBy(status) || hops.includes(false)) return false;
    this.#state = 'held';
    this.#events.push(event);
    void this.#settle(this.repeat, flow);
    return true;
  }

  /** @returns whether the event of a response is held back or dropped */
  withholds(event: () => void): boolean {
    if (this.#state === 'held') this.#events.push(event);
    return this.#state === 'held' || this.#state === 'replaced';
  }

  /** Like {@link withholds}, for a part of the body. */
  withholdsData(chunk: Uint8Array, flow: Flow, event: () => void): boolean {
    if (this.#state === 'replaced') {
      this.#drainedBytes += chunk.byteLength;
      if (this.#drainedBytes > MAX_DRAINED_BYTES)
        flow.abort(new Error('the response was replaced by that of a replay'));
    }
    return this.withholds(event);
  }

  /** @returns whether the handler must not see the error. Without it, the handler gets no response but the error. */
  withholdsError(error: Error): boolean {
    redact(error, this.sent.token);
    if (this.#state === 'held') this.#state = 'passed';
    return this.#state === 'replaced';
  }

  async #settle(repeat: NonNullable<typeof this.repeat>, flow: Flow): Promise<void> {
    // Without another token the first response is the answer.
    const send = await repeat().catch(() => undefined);
    if (this.#state !== 'held') return;
    const events = send ? [send] : this.#events;
    if (send) this.#state = 'replaced';
    // Resumed first: events that arrive at once are still held back or dropped, so that all events stay in order.
    flow.resume();
    if (!send) this.#state = 'passed';
    try {
      for (const event of events) event();
    } catch (error) {
      // As undici does if a handler throws.
      flow.abort(error as Error);
    }
    this.#events = [];
  }
}
