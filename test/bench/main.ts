import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BenchArguments, parseArguments, USAGE } from './arguments.js';
import { measurements } from './figures/index.js';
import { describeMachine } from './report/machine.js';
import { hasFailed } from './report/run-result.js';
import { renderTable } from './report/table.js';
import { writeDocs } from './report/write-docs.js';
import { chooseMeasurements, runMeasurements } from './run.js';

// Far more than a run takes on a slow machine: a limit for what hangs.
const TIME_LIMIT_MS = { full: 25 * 60_000, short: 5 * 60_000 };
// After an abort, measurements get this time to end their processes. Their processes also end with this one.
const GRACE_MS = 5_000;
const EXIT = { failed: 1, usage: 2, SIGINT: 130, SIGTERM: 143 } as const;

function choose(): { chosen: ReturnType<typeof chooseMeasurements>; args: BenchArguments } {
  try {
    const args = parseArguments(process.argv.slice(2));
    if (args.wantsHelp) {
      process.stdout.write(`${USAGE}\n`);
      process.exit();
    }
    return { args, chosen: chooseMeasurements(measurements, args) };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
    process.exit(EXIT.usage);
  }
}

/** Aborts at a signal and when the time is over, and ends the process if measurements do not end. */
function watch(timeLimitMs: number): AbortSignal {
  const abort = new AbortController();
  const stop = (reason: string, exitCode: number) => {
    if (abort.signal.aborted) process.exit(exitCode);
    process.exitCode = exitCode;
    abort.abort(new Error(reason));
    setTimeout(() => process.exit(exitCode), GRACE_MS).unref();
  };
  setTimeout(() => stop(`time limit of ${timeLimitMs / 60_000} minutes`, EXIT.failed), timeLimitMs).unref();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => stop(`stopped by ${name}`, EXIT[name]));
  }
  return abort.signal;
}

const { args, chosen } = choose();
const directory = mkdtempSync(join(tmpdir(), 'nest-k8s-auth-bench-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
const signal = watch(args.isShort ? TIME_LIMIT_MS.short : TIME_LIMIT_MS.full);
const progress = (message: string) => void process.stderr.write(`${message}\n`);
const context = { isShort: args.isShort, rounds: args.rounds, directory, progress, signal };

const run = await runMeasurements(chosen, context, args.only);
const result = { ...run, machine: describeMachine(args.rounds) };
process.stdout.write(renderTable(result));
if (hasFailed(result)) process.exitCode ??= EXIT.failed;
if (args.writesDocs && result.failures.length === 0) {
  for (const path of await writeDocs(result)) progress(`wrote ${path}`);
}
