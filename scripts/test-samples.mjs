// Packs the library, installs it into a copy of each folder in samples/, and runs the tests and the type check there, as
// in an application of a user. Arguments are names of samples; without arguments, all of them run. It needs a package
// registry.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const samples = join(ROOT, 'samples');
const all = readdirSync(samples, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();
const chosen = process.argv.length > 2 ? process.argv.slice(2) : all;
const unknown = chosen.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  console.error(`unknown samples: ${unknown.join(', ')}; known: ${all.join(', ')}`);
  process.exit(2);
}

const isWindows = process.platform === 'win32';
const run = (folder, command, ...args) =>
  spawnSync(command, args, { cwd: folder, stdio: 'inherit', shell: isWindows }).status === 0;

const work = mkdtempSync(join(tmpdir(), 'samples-'));
const failed = [];
try {
  execFileSync('npm', ['pack', '--pack-destination', work], {
    cwd: join(ROOT, 'libs/k8s-auth'),
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: isWindows,
  });
  const [packed] = readdirSync(work).filter((name) => name.endsWith('.tgz'));
  for (const name of chosen) {
    const folder = join(work, name);
    console.log(`== ${name}`);
    cpSync(join(samples, name), folder, {
      recursive: true,
      filter: (path) => !/[\\/](node_modules|dist)$/.test(path),
    });
    const isPassed =
      run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--no-package-lock', join(work, packed)) &&
      run(folder, 'npx', 'tsc', '--noEmit') &&
      run(folder, 'npm', 'test');
    if (!isPassed) failed.push(name);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(failed.length > 0 ? `failed: ${failed.join(', ')}` : `passed: ${chosen.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;
