// Builds the library and both applications, unless their build is newer than every source.
import { spawn } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { bundleLibrary } from '../bundle/bundle-library.mjs';
import { LIBRARY_BUILD } from '../bundle/paths.mjs';
import { lockBuild } from './build-lock.mjs';
import { ROOT } from './root.mjs';

const BUILT = [
  'libs/k8s-auth/dist/cli/main.js',
  'libs/k8s-auth/dist/testing/index.js',
  'dist/apps/service1/main.js',
  'dist/apps/service2/main.js',
];
const SOURCES = [
  'libs/k8s-auth/src',
  'libs/k8s-auth/testing',
  'libs/k8s-auth/prometheus',
  'libs/k8s-auth/opentelemetry',
  'libs/k8s-auth/terminus',
  'libs/k8s-auth/cli',
  'apps/service1/src',
  'apps/service2/src',
];
const SETTINGS = ['package-lock.json', 'tsconfig.json', 'libs/k8s-auth/package.json'];

export async function buildIfStale() {
  if (await isFresh()) return;
  // Two concurrent builds would delete each other's output. So the second one waits, and then has nothing to build.
  const unlock = await lockBuild();
  try {
    if (!(await isFresh())) await build();
  } finally {
    await unlock();
  }
}

async function build() {
  // On stderr, because npm pack --json writes its result to stdout.
  console.error('[build] building the library and both applications');
  const nest = createRequire(join(ROOT, 'package.json')).resolve('@nestjs/cli/bin/nest.js');
  const compiler = spawn(process.execPath, [nest, 'build', '--all'], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
  });
  const code = await new Promise((resolve) => compiler.on('close', resolve));
  if (code !== 0) throw new Error('the build failed, see above');
  await bundleLibrary(LIBRARY_BUILD);
}

async function isFresh() {
  try {
    const oldestBuilt = Math.min(...(await Promise.all(BUILT.map(changedAt))));
    const newest = await Promise.all([...SOURCES.map(newestBelow), ...SETTINGS.map(changedAt)]);
    return oldestBuilt >= Math.max(...newest);
  } catch {
    return false;
  }
}

async function changedAt(path) {
  return (await stat(join(ROOT, path))).mtimeMs;
}

async function newestBelow(folder) {
  const entries = await readdir(join(ROOT, folder), { recursive: true });
  const sources = entries.filter(
    (entry) => entry.endsWith('.ts') && !/\.(spec|contract|fixture)\.ts$/.test(entry),
  );
  return Math.max(...(await Promise.all(sources.map((entry) => changedAt(join(folder, entry))))));
}
