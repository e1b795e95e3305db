import { types } from 'node:util';
import { Logger, type LoggerService } from '@nestjs/common';
import { type Clock } from './clock.js';

/** What the library says: one object per event, in the manner of Nest's Logger, which takes objects. Never token text. */
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

/** Foreign text made fit for a log: one line, short, and no JWT in it. @internal */
export function loggable(text: string, maxLength = 200): string {
  const oneLine = text.replace(TOKEN_LIKE, '[token]').replace(/[^\x20-\x7e]+/g, ' ');
  return oneLine.length > maxLength ? `${oneLine.slice(0, maxLength)}…` : oneLine;
}

/** An error's own words and those of its causes, each code once, made fit for a log. @internal */
export function describeError(error: unknown): string {
  return loggable(wordsOf(error), 300);
}

/** The same words as they stand: for whoever has something to take out before they are cut. @internal */
export function wordsOf(error: unknown): string {
  const words: string[] = [];
  try {
    for (let cause: unknown = error; isError(cause) && words.length < 4; cause = cause.cause) {
      const { code } = cause as { code?: unknown };
      const message = String(cause.message);
      const isNew = typeof code === 'string' && ![message, ...words].some((said) => said.includes(code));
      words.push(isNew ? `${message} (${code})` : message);
    }
  } catch {
    // A foreign error may have accessors that throw: what was read so far has to do.
  }
  return words.filter((word) => word !== '').join(': ') || 'unknown error';
}

/** Errors of Node itself are none of `Error` where code runs in a context of its own, as under Jest. */
function isError(value: unknown): value is Error {
  return value instanceof Error || types.isNativeError(value);
}

const MINUTE_MS = 60_000;

/**
 * Runs an action for a topic at most once a minute: a lasting failure is worth a line a minute, not a line a request.
 * Topics are the caller's own constants or configured names, so their number is bounded.
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

/**
 * Nest's Logger in front of any logger that the application uses, for callers that must not fail because of it: an
 * error that it throws is dropped, and so is the rejection of an asynchronous one.
 */
class ReliableLogger extends Logger {
  override get localInstance(): LoggerService {
    const logger = super.localInstance;
    const reliably =
      (level: 'log' | 'warn' | 'error') =>
      (...args: [unknown, ...unknown[]]): void => {
        try {
          const result: unknown = logger[level](...args);
          void Promise.resolve(result).catch(() => {});
        } catch {
          // There is nobody left to tell.
        }
      };
    return { log: reliably('log'), warn: reliably('warn'), error: reliably('error') };
  }
}

/** What every part of the library logs through. @internal */
export const k8sAuthLog = new ReliableLogger('K8sAuth');
