// Runs before the library is packed: builds it, and copies the pages that readers of a registry need. Always builds
// from the sources, because neither dates nor names show whether `dist` is built from them.
import { execFile } from 'node:child_process';
import { copyFile, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundleLibrary } from './bundle/bundle-library.mjs';
import { LIBRARY, LIBRARY_BUILD as BUILD } from './bundle/paths.mjs';
import { lockBuild } from './demo/build-lock.mjs';
import { ROOT } from './demo/root.mjs';
import { packagePage } from './package-page.mjs';

// Next to `dist`, so that the paths in source maps stay the same.
const fresh = `${BUILD}-${process.pid}`;
const unlock = await lockBuild();
try {
  await compile(fresh);
  await bundleLibrary(fresh);
  // An equal `dist` is not replaced: applications, such as tests, may be running from it.
  if (!(await areEqual(fresh, BUILD))) {
    await rm(BUILD, { recursive: true, force: true });
    await rename(fresh, BUILD);
  }
} finally {
  await rm(fresh, { recursive: true, force: true });
  await unlock();
}
await copyFile(join(ROOT, 'LICENSE'), join(LIBRARY, 'LICENSE'));
const packageJson = JSON.parse(await readFile(join(LIBRARY, 'package.json'), 'utf8'));
for (const page of ['README.md', 'CHANGELOG.md']) {
  await writeFile(join(LIBRARY, page), packagePage(await readFile(join(ROOT, page), 'utf8'), packageJson));
}

async function compile(folder) {
  const tsc = createRequire(join(ROOT, 'package.json')).resolve('typescript/bin/tsc');
  const project = join(LIBRARY, 'tsconfig.lib.json');
  try {
    await promisify(execFile)(process.execPath, [tsc, '--project', project, '--outDir', folder]);
  } catch (error) {
    // The compiler writes its errors to stdout, where npm pack --json writes its result.
    throw new Error(`the library does not compile:\n${error.stdout || error.message}`, { cause: error });
  }
}

async function areEqual(one, other) {
  const [paths, otherPaths] = await Promise.all([filesBelow(one), filesBelow(other)]);
  if (paths.join('\n') !== otherPaths.join('\n')) return false;
  const same = paths.map(async (path) =>
    (await readFile(join(one, path))).equals(await readFile(join(other, path))),
  );
  return (await Promise.all(same)).every(Boolean);
}

async function filesBelow(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length))
    .sort();
}
