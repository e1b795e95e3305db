import { type LoggerService } from '@nestjs/common';
import { inspect } from 'node:util';

/** A Nest logger that keeps its lines as readable text, and lets a test wait for a line. */
export class CapturedLog implements LoggerService {
  readonly lines: string[] = [];
  private readonly waiting = new Set<() => void>();

  log = (...words: unknown[]): void => this.keep('log', words);
  warn = (...words: unknown[]): void => this.keep('warn', words);
  error = (...words: unknown[]): void => this.keep('error', words);
  debug = (...words: unknown[]): void => this.keep('debug', words);
  verbose = (...words: unknown[]): void => this.keep('verbose', words);
  fatal = (...words: unknown[]): void => this.keep('fatal', words);

  get text(): string {
    return this.lines.join('\n');
  }

  matching(pattern: RegExp): string[] {
    return this.lines.filter((line) => pattern.test(line));
  }

  /** Resolves when `count` lines match; the test's own timeout is the limit. */
  async waitFor(pattern: RegExp, count = 1): Promise<string[]> {
    while (this.matching(pattern).length < count) {
      await new Promise<void>((resolve) => this.waiting.add(resolve));
    }
    return this.matching(pattern);
  }

  private keep(level: string, words: unknown[]): void {
    const text = words.map((word) =>
      typeof word === 'string' ? word : inspect(word, { depth: 8, breakLength: Infinity }),
    );
    this.lines.push(`${level} ${text.join(' ')}`);
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }
}
