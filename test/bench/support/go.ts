import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type BenchContext } from '../figure.js';
import { type Unavailable } from './server.js';

// The first build downloads and compiles k8s.io/apiserver: minutes of CPU on a small machine.
const BUILD_LIMIT_MS = 900_000;
const VERSION_LIMIT_MS = 10_000;

export interface Build {
  /** For messages. */
  readonly name: string;
  /** Identifies what it is built from. Go's own version is added. */
  readonly digest: string;
  /** Where `go` runs. */
  readonly sources: string;
  /** Where `go` puts the programs, which are kept for later runs. */
  readonly binaries: string;
  /** Of `go`. */
  readonly args: readonly string[];
}

const run = promisify(execFile);

/** Builds programs, or reuses those of an earlier run. @returns the directory with the programs */
export async function build(
  context: BenchContext,
  { name, digest, sources, binaries, args }: Build,
): Promise<{ readonly directory: string } | Unavailable> {
  const version = await goVersion(context, sources);
  if (version === undefined) return { unavailable: 'Go is not installed' };
  const stamp = join(binaries, 'built-from');
  const source = `${version} ${digest}`;
  if (readIfExists(stamp) === source) return { directory: binaries };
  rmSync(binaries, { recursive: true, force: true });
  mkdirSync(binaries, { recursive: true });
  context.progress(`building ${name} with ${version}; the first time takes minutes`);
  try {
    // GOBIN is where `go install` puts the program.
    const env = { ...process.env, GOBIN: binaries, CGO_ENABLED: '0' };
    await run('go', args, { cwd: sources, env, timeout: BUILD_LIMIT_MS, signal: context.signal });
  } catch (error) {
    context.signal.throwIfAborted();
    return { unavailable: `go could not build ${name}: ${reasonOf(error)}` };
  }
  writeFileSync(stamp, source);
  return { directory: binaries };
}

/** The version that `sources` select. */
async function goVersion({ signal }: BenchContext, sources: string): Promise<string | undefined> {
  const options = { cwd: sources, env: process.env, timeout: VERSION_LIMIT_MS, signal };
  return run('go', ['version'], options).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}

/** The last line that the command wrote, without addresses, because the table is published. */
function reasonOf(error: unknown): string {
  const { killed, stderr = '' } = error as { killed?: boolean; stderr?: string };
  if (killed) return `not finished within ${BUILD_LIMIT_MS / 60_000} minutes`;
  const last = stderr.trim().split('\n').at(-1) ?? '';
  return last.trim().replaceAll(/https?:\/\/\S+/g, '(URL)') || String(error);
}

function readIfExists(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
