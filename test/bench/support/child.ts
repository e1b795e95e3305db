import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type BenchContext } from '../figure.js';
import { pin, type Role } from './pin.js';
import { canReadCpu, readCpuUs } from './process-cpu.js';
import { type Answer, type Question } from './program.js';

const START_LIMIT_MS = 60_000;
const ANSWER_LIMIT_MS = 120_000;
const END_LIMIT_MS = 3_000;
const KEPT_LINES = 20;

export interface ChildOptions {
  /** For error messages. */
  readonly name: string;
  /** @default this Node */
  readonly command?: string;
  readonly args: readonly string[];
  /** The core to run on. @default not pinned */
  readonly role?: Role;
  /** Added to the environment of the bench. */
  readonly environment?: Readonly<Record<string, string>>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** A process of the bench. It is ended when the bench ends, for whatever reason. */
export class Child {
  private readonly questions = new Map<number, (answer: Answer) => void>();
  private readonly lastLines: string[] = [];
  private readonly ended: Promise<void>;
  private hasEnded = false;

  private constructor(
    readonly name: string,
    private readonly process: ChildProcess,
    private readonly canAnswer: boolean,
    signal: AbortSignal,
  ) {
    running.add(process);
    const kill = () => process.kill('SIGKILL');
    signal.addEventListener('abort', kill, { once: true });
    this.ended = new Promise((resolve) =>
      process.once('close', () => resolve()).once('error', () => resolve()),
    );
    void this.ended.then(() => {
      this.hasEnded = true;
      running.delete(process);
      signal.removeEventListener('abort', kill);
      for (const [id, resolve] of this.questions) resolve({ id, error: this.describeEnd() });
    });
    // A write to a process that has just ended fails; `ended` reports this.
    process.stdin?.on('error', () => {});
    process.on('message', (answer: Answer) => this.questions.get(answer.id)?.(answer));
    for (const stream of [process.stdout, process.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.keep(line));
    }
  }

  /** Starts a program and waits until it listens. @throws {Error} it ended before, with its last lines */
  static async start(
    context: BenchContext,
    { name, command = process.execPath, args, role, environment }: ChildOptions,
  ): Promise<{ readonly child: Child; readonly url: string }> {
    context.signal.throwIfAborted();
    // A program that is not Node cannot answer questions.
    const canAnswer = command === process.execPath;
    const pinned = pin(role, { command, args });
    const spawned = spawn(pinned.command, pinned.args, {
      env: { ...process.env, TMPDIR: context.directory, ...environment },
      stdio: canAnswer ? ['pipe', 'pipe', 'pipe', 'ipc'] : ['pipe', 'pipe', 'pipe'],
    });
    const child = new Child(name, spawned, canAnswer, context.signal);
    try {
      return { child, url: await child.listening(spawned) };
    } catch (error) {
      await child.close();
      throw error;
    }
  }

  /** Whether {@link cpuUs} works on this system. */
  get canMeasureCpu(): boolean {
    return canReadCpu || this.canAnswer;
  }

  /** User and system time of all threads so far. */
  async cpuUs(): Promise<number> {
    const { pid } = this.process;
    if (canReadCpu && pid !== undefined) return readCpuUs(pid);
    return this.ask<number>('cpuUs');
  }

  /** @throws {Error} what the program's handler threw, or that the program ended or did not answer in time */
  async ask<T>(method: string, parameters?: unknown): Promise<T> {
    if (this.hasEnded) throw new Error(this.describeEnd());
    const id = (lastQuestion += 1);
    const question: Question = { id, method, parameters };
    const { result, error } = await new Promise<Answer>((resolve) => {
      const timeout = setTimeout(
        () => resolve({ id, error: `no answer within ${ANSWER_LIMIT_MS} ms` }),
        ANSWER_LIMIT_MS,
      );
      this.questions.set(id, (answer) => {
        clearTimeout(timeout);
        this.questions.delete(id);
        resolve(answer);
      });
      this.process.send(question);
    });
    if (error !== undefined) throw new Error(`${this.name}: ${method}: ${error}`);
    return result as T;
  }

  async close(): Promise<void> {
    if (this.hasEnded) return;
    this.process.stdin?.end();
    this.process.kill('SIGTERM');
    const timeout = setTimeout(() => this.process.kill('SIGKILL'), END_LIMIT_MS);
    await this.ended;
    clearTimeout(timeout);
  }

  private async listening({ stdout }: ChildProcess): Promise<string> {
    const line = new Promise<string>((resolve) => {
      if (!stdout) return;
      const lines = createInterface({ input: stdout });
      lines.on('line', (text) => {
        if (text.startsWith('{"url":')) resolve(text);
      });
    });
    let timeout: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const fail = () => reject(new Error(`${this.name}: did not listen within ${START_LIMIT_MS} ms`));
      timeout = setTimeout(fail, START_LIMIT_MS);
    });
    const early = this.ended.then(() => Promise.reject(new Error(this.describeEnd())));
    try {
      return (JSON.parse(await Promise.race([line, late, early])) as { url: string }).url;
    } finally {
      clearTimeout(timeout);
    }
  }

  private describeEnd(): string {
    return [`${this.name}: ended`, ...this.lastLines].join('\n  ');
  }

  private keep(line: string): void {
    this.lastLines.push(line);
    if (this.lastLines.length > KEPT_LINES) this.lastLines.shift();
  }
}

let lastQuestion = 0;
