import { build } from 'esbuild';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { licensesOf } from './licenses.mjs';

/** Entries of the library. `internal` is for the workspace's own tools, see libs/k8s-auth/src/internal.ts. */
const ENTRIES = ['src/index.js', 'src/internal.js', 'testing/index.js', 'cli/main.js'];
const CHUNKS = 'chunks';
/** The only dependency in the bundle. As separate files, it costs more than the rest of the library, see docs/adr/0017. */
const BUNDLED_PACKAGES = ['zod'];

/**
 * Replaces the JavaScript files that tsc has written into `folder` by few files, because Node needs about a millisecond
 * for each file that it imports. All entries share one copy of every class. The input is tsc's output, because esbuild
 * does not emit the metadata of decorators. Declarations stay as tsc has written them. A folder that is already bundled
 * is not changed.
 */
export async function bundleLibrary(folder) {
  if (existsSync(join(folder, CHUNKS))) return;
  const { outputFiles, metafile } = await build({
    absWorkingDir: folder,
    entryPoints: ENTRIES.filter((entry) => existsSync(join(folder, entry))),
    outdir: folder,
    outbase: folder,
    chunkNames: `${CHUNKS}/[hash]`,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: true,
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    write: false,
    plugins: [externalPackages(BUNDLED_PACKAGES)],
  });
  await removeCompiled(folder);
  for (const { path, contents } of outputFiles) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, path.endsWith('.js') ? withClassNames(Buffer.from(contents).toString()) : contents);
  }
  await writeFile(join(folder, 'third-party-licenses.txt'), await licensesOf(folder, metafile));
}

/**
 * esbuild renames the inner class of `let Name = class Name {...}`, which is what tsc writes for a class with a decorator.
 * Nest writes these names into its messages. esbuild's own option keeps the name of every function instead, with a call each
 * time that a closure is created.
 * @throws {Error} the inner name is used in the class, where it would mean another variable
 */
function withClassNames(code) {
  return code.replace(/\b(?:var|let) (\w+) = (\w+ = )?class (\1\d+) /g, (text, name, alias, inner) => {
    const uses = code.split(new RegExp(`\\b${inner}\\b`)).length - 1;
    if (uses > 1) throw new Error(`bundle: expected no use of ${inner} in class ${name}`);
    return text.replace(inner, name.padEnd(inner.length));
  });
}

/** Leaves imports of packages as they are, except of the packages in `bundled`. */
function externalPackages(bundled) {
  return {
    name: 'external-packages',
    setup({ onResolve }) {
      onResolve({ filter: /^[^.]/ }, ({ path, kind }) =>
        kind === 'entry-point' || bundled.includes(path) ? undefined : { path, external: true },
      );
    },
  };
}

async function removeCompiled(folder) {
  const paths = await readdir(folder, { recursive: true });
  await Promise.all(paths.filter((path) => /\.js(\.map)?$/.test(path)).map((path) => rm(join(folder, path))));
}
