import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bundleCommonJs } from './common-js.mjs';
import { bundleDeclarations } from './declarations.mjs';
import { CHUNKS, bundleEsModules } from './es-modules.mjs';
import { licensesOf } from './licenses.mjs';

/** CommonJS, for `require`: Jest cannot require ES modules before Node 24.9. */
const COMMON_JS = 'cjs';

/**
 * Replaces the files that tsc has written into `folder` by the files that are published: few files, because Node needs
 * about a millisecond for each file that it imports. The input is tsc's output, because esbuild does not emit the metadata
 * of decorators. A folder that is already bundled is not changed.
 */
export async function bundleLibrary(folder) {
  if (existsSync(join(folder, CHUNKS))) return;
  const [esModules, commonJs, declarations] = await Promise.all([
    bundleEsModules(folder, {
      bundled: ['zod'],
      entries: ['src/internal.js', 'cli/main.js', 'cli/dev/run-dev.js'],
    }),
    // jose and openid-client (with oauth4webapi) are ES modules only.
    bundleCommonJs(folder, { bundled: ['zod', 'jose', 'openid-client', 'oauth4webapi'] }),
    bundleDeclarations(folder),
  ]);
  await removeCompiled(folder);
  await writeAll(folder, [
    ...esModules.files,
    ...declarations,
    ...[...commonJs.files, ...declarations].map(([path, text]) => [join(COMMON_JS, path), text]),
    [join(COMMON_JS, 'package.json'), '{ "type": "commonjs" }\n'],
    ['third-party-licenses.txt', await licensesOf(folder, [...esModules.inputs, ...commonJs.inputs])],
  ]);
}

async function removeCompiled(folder) {
  const names = await readdir(folder);
  await Promise.all(names.map((name) => rm(join(folder, name), { recursive: true })));
}

async function writeAll(folder, files) {
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}
