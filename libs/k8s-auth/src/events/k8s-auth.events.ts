import { type Clock } from '../util/clock.js';
import { describeError, type Log, OncePerMinute } from '../util/log.js';
import { EVENT_NAMES, type EventName, type EventOf, type K8sAuthListener } from './event-types.js';
import { type Operation, type OperationObserver, runObserved } from './operations.js';

/** TypeScript does not know that the name and the event belong together. */
type Callable = { readonly [Name in EventName]?: (event: unknown) => unknown };

interface Subscription {
  readonly listener: K8sAuthListener;
}

type Subscriptions = { readonly [Name in EventName]: readonly Subscription[] };

const NOBODY: Subscriptions = {
  onVerified: [],
  onRejected: [],
  onStaleKeys: [],
  onTokenRotated: [],
  onOperation: [],
};

/** The emitting part. Code that may emit an event calls `hears` first, so that no event is created without a listener. @internal */
export type EventSink = Pick<K8sAuthEvents, 'hears' | 'emit' | 'observe'>;

/**
 * The events of one `K8sAuthModule`. Injectable in every module that can access it:
 *
 * ```ts
 * constructor(events: K8sAuthEvents) {
 *   events.subscribe({ onRejected: ({ code, route }) => this.counter.inc({ code, route }) });
 * }
 * ```
 *
 * The option `events` of the module subscribes one listener at startup.
 * @publicApi
 */
export class K8sAuthEvents {
  // Not #private: a Proxy around this instance, as instrumentation makes it, could not use them.
  private subscriptions = NOBODY;
  private readonly onceAMinute: OncePerMinute;

  /** @internal */
  constructor(private readonly context: { readonly clock: Clock; readonly log: Log }) {
    this.onceAMinute = new OncePerMinute(context.clock);
  }

  /**
   * Adds a listener. Its functions are called as its methods.
   * @returns a function that removes the listener
   */
  subscribe(listener: K8sAuthListener): () => void {
    // Another object for each call, so that a listener that subscribed twice is removed once.
    const subscription = { listener };
    this.subscriptions = mapLists(this.subscriptions, (list, name) =>
      typeof listener[name] === 'function' ? [...list, subscription] : list,
    );
    return () => {
      this.subscriptions = mapLists(this.subscriptions, (list) => list.filter((one) => one !== subscription));
    };
  }

  /** Whether there is a listener for this event. Call it first, so that no event is created without one. @internal */
  hears(name: EventName): boolean {
    return this.subscriptions[name].length > 0;
  }

  /** Calls the listeners in the order of their subscriptions. Never throws. @internal */
  emit<Name extends EventName>(name: Name, event: EventOf<Name>): void {
    for (const { listener } of this.subscriptions[name]) this.call(listener, name, event);
  }

  /**
   * Runs an operation, and reports it to the listeners of `onOperation`.
   * @param usernameOf the caller that the result names
   * @throws what the work throws, and nothing else
   * @internal
   */
  observe<Result>(
    operation: Operation,
    work: () => Result | Promise<Result>,
    usernameOf: (result: Result) => string,
  ): Result | Promise<Result> {
    const started = this.subscriptions.onOperation.map(({ listener }) =>
      this.call(listener, 'onOperation', operation),
    );
    return runObserved({
      work,
      observers: started.filter(isObserver),
      usernameOf,
      onFailure: (error) => this.noteFailure('onOperation', error),
    });
  }

  private call<Name extends EventName>(listener: K8sAuthListener, name: Name, event: EventOf<Name>): unknown {
    try {
      const result: unknown = (listener as Callable)[name]?.(event);
      // TypeScript accepts an async function here. Its rejection would end the process.
      if (result instanceof Promise) result.catch((error: unknown) => this.noteFailure(name, error));
      return result;
    } catch (error) {
      this.noteFailure(name, error);
      return undefined;
    }
  }

  private noteFailure(name: EventName, error: unknown): void {
    this.onceAMinute.run(name, () =>
      this.context.log.error({ message: `listener ${name} failed: ${describeError(error)}` }),
    );
  }
}

function isObserver(value: unknown): value is OperationObserver {
  return typeof (value as Partial<OperationObserver> | undefined)?.end === 'function';
}

function mapLists(
  subscriptions: Subscriptions,
  change: (list: readonly Subscription[], name: EventName) => readonly Subscription[],
): Subscriptions {
  const entries = EVENT_NAMES.map((name) => [name, change(subscriptions[name], name)] as const);
  return Object.fromEntries(entries) as Subscriptions;
}
