import { build } from 'esbuild';
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { importOptional } from './optional-imports.mjs';
import { sharedCopy } from './shared-copy.mjs';

export const CHUNKS = 'chunks';
export const TARGET = 'node20.19';

/**
 * Bundles the public entries and those of `entries` that exist. All of them share one copy of every class.
 * @param {string} folder what tsc has written
 * @param {{ bundled: string[], entries?: string[], sourcemap?: 'inline' | 'linked' }} options `bundled`: the packages
 *   that become part of the bundle; imports of all other packages stay as they are
 * @returns {Promise<{ files: [path: string, text: string][], inputs: string[] }>} paths are relative to `folder`
 */
export async function bundleEsModules(folder, { bundled, entries = [], sourcemap = 'linked' }) {
  const { publicEntries, plugin } = await sharedCopy(folder);
  const { outputFiles, metafile } = await build({
    absWorkingDir: folder,
    entryPoints: [
      ...publicEntries,
      ...entries.filter((entry) => existsSync(join(folder, entry))).map((entry) => asEntryPoint(entry)),
    ],
    outdir: folder,
    chunkNames: `${CHUNKS}/[hash]`,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: TARGET,
    sourcemap,
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    write: false,
    plugins: [plugin, externalPackages(bundled)],
  });
  const files = outputFiles.map(({ path, text }) => [
    relative(folder, path),
    path.endsWith('.map') ? withoutPackageSources(path, text) : importOptional(withClassNames(text)),
  ]);
  return { files, inputs: Object.keys(metafile.inputs) };
}

function asEntryPoint(path) {
  return { in: `./${path}`, out: path.replace(/\.js$/, '') };
}

/**
 * esbuild renames the inner class of `let Name = class Name {...}`, which is what tsc writes for a class with a decorator,
 * and of a class that uses its own name. Nest writes these names into its messages. esbuild's own option keeps the name of
 * every function instead, with a call each time that a closure is created.
 */
export function withClassNames(code) {
  const renamed = [...code.matchAll(/\b(?:var|let) (\w+) = (?:\w+ = )?class (\1\d+|_\1) /g)];
  return renamed.reduce(
    // Inside of the class, its own name means the same as the inner name. The length is kept for the source map.
    (text, [, name, inner]) => text.replaceAll(new RegExp(`\\b${inner}\\b`, 'g'), name.padEnd(inner.length)),
    code,
  );
}

/** Leaves imports of packages as they are, except of the packages in `bundled`. */
function externalPackages(bundled) {
  return {
    name: 'external-packages',
    setup({ onResolve }) {
      onResolve({ filter: /^[^.]/ }, ({ path }) =>
        bundled.includes(path) ? undefined : { path, external: true },
      );
    },
  };
}

/** Removes the texts of packages from a source map: they are several times as large as those of the library. */
export function withoutPackageSources(path, text) {
  if (!path.endsWith('.map')) return text;
  const map = JSON.parse(text);
  const isOfPackage = (index) => map.sources[index].includes('/node_modules/');
  map.sourcesContent = map.sourcesContent.map((content, index) => (isOfPackage(index) ? null : content));
  return JSON.stringify(map);
}
