import { inspect, types } from 'node:util';
import { Logger, type LoggerService } from '@nestjs/common';
import { type Clock } from './clock.js';

/** One log entry: an object, which Nest's Logger accepts in place of a text. Contains no token text. */
export interface LogEvent {
  readonly message: string;
  readonly code?: string;
  readonly [field: string]: unknown;
}

/** The part of Nest's Logger that the library uses. */
export interface Log {
  log(event: LogEvent): void;
  warn(event: LogEvent): void;
  error(event: LogEvent): void;
}

/** Anything that looks like the start of a JWT: base64url of `{"`. */
const TOKEN_LIKE = /eyJ[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]*)*/g;

/** Makes text from other programs safe for a log: one line, truncated, JWTs replaced by `[token]`. @internal */
export function loggable(text: string, maxLength = 200): string {
  const oneLine = text.replace(TOKEN_LIKE, '[token]').replace(/[^\x20-\x7e]+/g, ' ');
  return oneLine.length > maxLength ? `${oneLine.slice(0, maxLength)}…` : oneLine;
}

/** The messages of an error and its causes, with each code once, made safe for a log. @internal */
export function describeError(error: unknown): string {
  return loggable(joinErrorMessages(error), 300);
}

/** The same messages, not truncated and not redacted. For callers that redact first. @internal */
export function joinErrorMessages(error: unknown): string {
  const messages: string[] = [];
  try {
    for (let cause: unknown = error; isError(cause) && messages.length < 4; cause = cause.cause) {
      const { code } = cause as { code?: unknown };
      const message = String(cause.message);
      const isNew = typeof code === 'string' && ![message, ...messages].some((text) => text.includes(code));
      messages.push(isNew ? `${message} (${code})` : message);
    }
  } catch {
    // The error of another library may have accessors that throw. The messages read so far are used.
  }
  return messages.filter((message) => message !== '').join(': ') || 'unknown error';
}

/** Node's own errors are not instances of `Error` if the code runs in another VM context, as under Jest. */
function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

const MINUTE_MS = 60_000;

/**
 * Runs an action for a topic at most once a minute, so that a lasting failure is logged once a minute and not with every
 * request. Topics are constants or configured names, never data of requests, so their number is bounded.
 * @internal
 */
export class OncePerMinute {
  private readonly lastMs = new Map<string, number>();

  constructor(private readonly clock: Clock) {}

  run(topic: string, action: () => void): void {
    const nowMs = this.clock.monotonicMs();
    const lastMs = this.lastMs.get(topic);
    if (lastMs !== undefined && nowMs - lastMs < MINUTE_MS) return;
    this.lastMs.set(topic, nowMs);
    action();
  }
}

/** What text loggers print for an event. The event keeps its own fields, which JSON and object loggers print. */
const PRINTED_AS_LINE = Object.defineProperties(Object.create(Object.prototype) as object, {
  toString: {
    value(this: LogEvent) {
      return toLine(this);
    },
  },
  [inspect.custom]: {
    // Inside of another object, such as the record of Nest's logger in JSON mode with colors, the fields are shown.
    value(this: LogEvent, depth: number | null, options: { readonly depth?: number | null }) {
      return depth === options.depth ? toLine(this) : { ...this };
    },
  },
});

/**
 * The event, printed by text loggers as one line: Nest's ConsoleLogger prints a plain object over several lines, which
 * cannot be searched line by line. Loggers in JSON mode and loggers that take objects see the same object as before.
 * @internal
 */
export function printedAsLine<Event extends LogEvent>(event: Event): Event {
  return Object.assign(Object.create(PRINTED_AS_LINE) as Event, event);
}

/** `request refused { code: '…', route: '…' }`, the form in which Nest 12 prints a text with parameters. */
function toLine({ message, ...fields }: LogEvent): string {
  const text = message.replace(/\s*[\r\n]\s*/g, ' ');
  if (Object.keys(fields).length === 0) return text;
  const oneLine = { compact: true, breakLength: Infinity, maxArrayLength: null, maxStringLength: null };
  return `${text} ${inspect(fields, { ...oneLine, depth: 4 })}`;
}

/**
 * Nest's Logger, made safe for callers that must not fail because of logging. If the application's logger throws, or
 * returns a promise that rejects, the error is dropped.
 */
class ReliableLogger extends Logger {
  override get localInstance(): LoggerService {
    const logger = super.localInstance;
    const safely =
      (level: 'log' | 'warn' | 'error') =>
      (event: LogEvent, ...context: unknown[]): void => {
        try {
          const result: unknown = logger[level](printedAsLine(event), ...context);
          void Promise.resolve(result).catch(() => {});
        } catch {
          // The logger itself failed, so the error cannot be logged.
        }
      };
    return { log: safely('log'), warn: safely('warn'), error: safely('error') };
  }
}

/** The logger of the whole library. @internal */
export const k8sAuthLog = new ReliableLogger('K8sAuth');
