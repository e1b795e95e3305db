import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type BenchContext } from '../figure.js';
import { type Unavailable } from './server.js';

// Relative to this module's place in the build.
const SOURCES = fileURLToPath(new URL('../../../test/bench/peers/', import.meta.url));
const BINARIES = fileURLToPath(new URL('../../bench-peers/', import.meta.url));

// The newest version when this was written. It is not in go.mod, so that the other programs build without it.
const PROXY_MODULE = 'github.com/brancz/kube-rbac-proxy/cmd/kube-rbac-proxy@v0.21.0';

// The first build downloads and compiles k8s.io/apiserver: minutes of CPU on a small machine.
const BUILD_LIMIT_MS = 900_000;
const SHORT_LIMIT_MS = 10_000;
// Smaller binaries, and links in half of the time.
const FLAGS = ['-trimpath', '-ldflags=-s -w'];

/** The path of an executable, or why there is none. */
export type Program = { readonly path: string } | Unavailable;
type Directory = { readonly directory: string } | Unavailable;

const run = promisify(execFile);
let peers: Promise<Directory> | undefined;
let proxy: Promise<Program> | undefined;

/** Builds all programs in `peers/` with the first call. Later calls and runs reuse them until a source changes. */
export async function buildPeer(context: BenchContext, name: string): Promise<Program> {
  peers ??= buildPeers(context);
  const built = await peers;
  return 'unavailable' in built ? built : { path: join(built.directory, name) };
}

/** `kube-rbac-proxy` of the PATH, or else built from its module. */
export function buildKubeRbacProxy(context: BenchContext): Promise<Program> {
  return (proxy ??= findKubeRbacProxy(context));
}

async function buildPeers(context: BenchContext): Promise<Directory> {
  return build(context, {
    name: 'peers',
    digest: digestOf(SOURCES),
    args: (directory) => ['build', ...FLAGS, '-o', `${directory}/`, './cmd/...'],
  });
}

async function findKubeRbacProxy(context: BenchContext): Promise<Program> {
  if (await succeeds(context, 'kube-rbac-proxy', ['--help'])) return { path: 'kube-rbac-proxy' };
  const name = 'kube-rbac-proxy';
  const built = await build(context, {
    name,
    digest: PROXY_MODULE,
    args: () => ['install', ...FLAGS, PROXY_MODULE],
  });
  return 'unavailable' in built ? built : { path: join(built.directory, name) };
}

interface Build {
  readonly name: string;
  /** Of what it is built from, without Go's own version. */
  readonly digest: string;
  readonly args: (directory: string) => readonly string[];
}

async function build(context: BenchContext, { name, digest, args }: Build): Promise<Directory> {
  const version = await goVersion(context);
  if (version === undefined) return { unavailable: 'Go is not installed' };
  const directory = join(BINARIES, name);
  const stamp = join(directory, 'built-from');
  const source = `${version} ${digest}`;
  if (readIfExists(stamp) === source) return { directory };
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  context.progress(`building ${name} with ${version}; the first time takes minutes`);
  try {
    // GOBIN is where `go install` puts the program.
    const env = { ...process.env, GOBIN: directory, CGO_ENABLED: '0' };
    await run('go', args(directory), { cwd: SOURCES, env, timeout: BUILD_LIMIT_MS, signal: context.signal });
  } catch (error) {
    context.signal.throwIfAborted();
    return { unavailable: `go could not build ${name}: ${reasonOf(error)}` };
  }
  writeFileSync(stamp, source);
  return { directory };
}

async function goVersion(context: BenchContext): Promise<string | undefined> {
  const options = { timeout: SHORT_LIMIT_MS, signal: context.signal, cwd: SOURCES };
  return run('go', ['version'], options).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}

async function succeeds({ signal }: BenchContext, command: string, args: string[]): Promise<boolean> {
  return run(command, args, { timeout: SHORT_LIMIT_MS, signal }).then(
    () => true,
    () => false,
  );
}

/** The last line that the command wrote, without addresses: the table is published. */
function reasonOf(error: unknown): string {
  const { killed, stderr = '' } = error as { killed?: boolean; stderr?: string };
  if (killed) return `not finished within ${BUILD_LIMIT_MS / 60_000} minutes`;
  const last = stderr.trim().split('\n').at(-1) ?? '';
  return last.trim().replaceAll(/https?:\/\/\S+/g, '(URL)') || String(error);
}

function digestOf(directory: string): string {
  const hash = createHash('sha256');
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((path) => /\.go$|^go\.(mod|sum)$/.test(path)).sort()) {
    hash.update(`${file}\n`).update(readFileSync(join(directory, file)));
  }
  return hash.digest('hex');
}

function readIfExists(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
