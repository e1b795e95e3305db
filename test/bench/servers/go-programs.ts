import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type BenchContext } from '../figure.js';
import { build } from '../support/go.js';
import { type Unavailable } from '../support/server.js';

// The build has the same depth as the sources, so these paths are right for both.
const SOURCES = fileURLToPath(new URL('../../../test/bench/peers/', import.meta.url));
const BINARIES = fileURLToPath(new URL('../../../dist/bench-peers/', import.meta.url));

// The newest version when this was written. It is not in go.mod, so that the other programs build without it.
const PROXY_MODULE = 'github.com/brancz/kube-rbac-proxy/cmd/kube-rbac-proxy@v0.21.0';
const PROXY = 'kube-rbac-proxy';

const HELP_LIMIT_MS = 10_000;
// Smaller programs, which are linked in half of the time.
const FLAGS = ['-trimpath', '-ldflags=-s -w'];

/** The path of an executable, or why there is none. */
export type Program = { readonly path: string } | Unavailable;

let peers: ReturnType<typeof build> | undefined;
let proxy: Promise<Program> | undefined;

/** Builds all programs in `peers/` with the first call. Later calls and runs reuse them until a source changes. */
export async function peerProgram(context: BenchContext, name: string): Promise<Program> {
  const binaries = join(BINARIES, 'peers');
  peers ??= build(context, {
    name: 'peers',
    digest: digestOf(SOURCES),
    sources: SOURCES,
    binaries,
    args: ['build', ...FLAGS, '-o', `${binaries}/`, './cmd/...'],
  });
  const built = await peers;
  return 'unavailable' in built ? built : { path: join(built.directory, name) };
}

/** `kube-rbac-proxy` of the PATH, or else built from its module. */
export function kubeRbacProxyProgram(context: BenchContext): Promise<Program> {
  return (proxy ??= findKubeRbacProxy(context));
}

async function findKubeRbacProxy(context: BenchContext): Promise<Program> {
  const options = { timeout: HELP_LIMIT_MS, signal: context.signal };
  const isInstalled = await promisify(execFile)(PROXY, ['--help'], options).then(
    () => true,
    () => false,
  );
  context.signal.throwIfAborted();
  if (isInstalled) return { path: PROXY };
  const built = await build(context, {
    name: PROXY,
    digest: PROXY_MODULE,
    sources: SOURCES,
    binaries: join(BINARIES, PROXY),
    args: ['install', ...FLAGS, PROXY_MODULE],
  });
  return 'unavailable' in built ? built : { path: join(built.directory, PROXY) };
}

function digestOf(directory: string): string {
  const hash = createHash('sha256');
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((path) => /\.go$|^go\.(mod|sum)$/.test(path)).sort()) {
    hash.update(`${file}\n`).update(readFileSync(join(directory, file)));
  }
  return hash.digest('hex');
}
