/** What every child process of the bench does: it announces its URL, answers its parent, and ends with it. */

export type Handlers = Readonly<Record<string, (parameters: never) => unknown>>;

export interface Question {
  readonly id: number;
  readonly method: string;
  readonly parameters: unknown;
}

export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/**
 * Answers the parent's questions. Each program answers `cpuUs`: user and system time of all its threads, for systems
 * without /proc. The process ends on SIGTERM, and when its parent closes stdin or ends.
 */
export function answerParent(handlers: Handlers = {}): void {
  const all: Handlers = { cpuUs: ownCpuUs, ...handlers };
  process.on('message', (question: Question) => void reply(all, question));
  process.once('SIGTERM', () => process.exit(0));
  process.once('disconnect', () => process.exit(0));
  process.stdin.once('end', () => process.exit(0)).resume();
}

/** Prints the one line that the parent waits for. */
export function announce(url: string): void {
  process.stdout.write(`${JSON.stringify({ url })}\n`);
}

async function reply(handlers: Handlers, { id, method, parameters }: Question): Promise<void> {
  process.send?.(await answerTo(handlers[method], id, parameters));
}

async function answerTo(
  handler: Handlers[string] | undefined,
  id: number,
  parameters: unknown,
): Promise<Answer> {
  if (!handler) return { id, error: 'this program does not answer that question' };
  try {
    return { id, result: await handler(parameters as never) };
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) };
  }
}

function ownCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
