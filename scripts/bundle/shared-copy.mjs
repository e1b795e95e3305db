import { build } from 'esbuild';
import { readdir, readFile } from 'node:fs/promises';
import { join, posix, relative, resolve, sep } from 'node:path';
import { ENTRY_FOLDERS, LIBRARY } from './paths.mjs';

const INDEX = 'src/index.js';

/**
 * Makes all copies of one version in a process behave as one. A process loads two copies if one package of it calls
 * `import` and another `require`. The copy that is loaded first puts its modules on the global object, and the entries of
 * every other copy export those modules instead of their own: so classes, injection tokens and caches exist once.
 *
 * The modules are kept for each copy of Nest, because a new Nest (after `jest.resetModules`, or a hot reload) needs new
 * classes. They are kept for each version, because modules of two versions may not fit together.
 *
 * The other entries use inner modules of the library. They are shared in the same way.
 */
export async function sharedCopy(folder) {
  const modules = await exportsOf(folder, [INDEX, ...(await modulesForEntries(folder))]);
  const { version } = JSON.parse(await readFile(join(LIBRARY, 'package.json'), 'utf8'));
  return {
    publicEntries: [
      { in: `shared:${INDEX}`, out: 'src/index' },
      ...ENTRY_FOLDERS.map((name) => ({ in: `./${name}/index.js`, out: `${name}/index` })),
    ],
    plugin: plugin(folder, modules, version),
  };
}

function plugin(folder, modules, version) {
  const entries = ENTRY_FOLDERS.map((name) => join(folder, name) + sep);
  const pathOf = ({ resolveDir, path }) =>
    relative(folder, resolve(resolveDir, path)).split(sep).join(posix.sep);
  return {
    name: 'shared-copy',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^shared:/ }, ({ path }) => ({ path: path.slice(7), namespace: 'shared' }));
      onResolve({ filter: /^\.\.\// }, (args) =>
        entries.some((entry) => args.importer.startsWith(entry)) && pathOf(args).startsWith('src/')
          ? { path: pathOf(args), namespace: 'shared' }
          : undefined,
      );
      onLoad({ filter: /.*/, namespace: 'shared' }, ({ path }) => ({
        contents: path === 'copy' ? copyOf([...modules.keys()], version) : moduleOf(path, modules.get(path)),
        resolveDir: folder,
      }));
    },
  };
}

/** The program that finds or creates the shared copy. */
function copyOf(paths, version) {
  return `
    import { Reflector as nest } from '@nestjs/core';
    ${paths.map((path, index) => `import * as own${index} from './${path}';`).join('\n')}
    const own = { ${paths.map((path, index) => `'${path}': own${index}`).join(', ')} };
    const copies = (globalThis[Symbol.for('nest-k8s-auth:copies:${version}')] ??= new WeakMap());
    if (!copies.has(nest)) copies.set(nest, own);
    export const copy = copies.get(nest);`;
}

/** A module of the shared copy. */
function moduleOf(path, names) {
  return `
    import { copy } from 'shared:copy';
    const shared = copy['${path}'];
    ${names.map((name) => `export const ${name} = shared.${name};`).join('\n')}`;
}

/** The modules of the library that the other entries import. */
async function modulesForEntries(folder) {
  const paths = (await Promise.all(ENTRY_FOLDERS.map((name) => scriptsBelow(join(folder, name))))).flat();
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
  const imported = texts.flatMap((text) => [...text.matchAll(/ from '(?:\.\.\/)+(src\/[^']+)'/g)]);
  return [...new Set(imported.map(([, path]) => path))].filter((path) => path !== INDEX).sort();
}

async function scriptsBelow(folder) {
  const paths = await readdir(folder, { recursive: true });
  return paths.filter((path) => path.endsWith('.js')).map((path) => join(folder, path));
}

async function exportsOf(folder, paths) {
  const { metafile } = await build({
    absWorkingDir: folder,
    entryPoints: paths,
    outdir: folder,
    outbase: folder,
    bundle: true,
    format: 'esm',
    packages: 'external',
    metafile: true,
    write: false,
  });
  return new Map(paths.map((path) => [path, metafile.outputs[path].exports]));
}
