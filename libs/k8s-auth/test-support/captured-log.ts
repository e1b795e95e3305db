import { type Log, type LogEvent } from '../src/util/log.js';

type Level = 'log' | 'warn' | 'error';

/** Keeps every event, in order. */
export class CapturedLog implements Log {
  readonly events: ({ readonly level: Level } & LogEvent)[] = [];

  log(event: LogEvent): void {
    this.events.push({ level: 'log', ...event });
  }

  warn(event: LogEvent): void {
    this.events.push({ level: 'warn', ...event });
  }

  error(event: LogEvent): void {
    this.events.push({ level: 'error', ...event });
  }

  messages(level: Level): string[] {
    return this.eventsAt(level).map(({ message }) => message);
  }

  /** The events of one level, without the level. */
  eventsAt(level: Level): LogEvent[] {
    return this.events.filter((event) => event.level === level).map(({ level: _, ...event }) => event);
  }

  get infos(): LogEvent[] {
    return this.eventsAt('log');
  }

  get warnings(): LogEvent[] {
    return this.eventsAt('warn');
  }

  /** Everything, to search it for what must not be in a log. */
  text(): string {
    return JSON.stringify(this.events);
  }
}
