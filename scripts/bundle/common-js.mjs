import { transform } from 'esbuild';
import { bundleEsModules, TARGET, withClassNames, withoutPackageSources } from './es-modules.mjs';

/**
 * Bundles the public entries as CommonJS. esbuild splits only ES modules, and without splitting every entry would have its
 * own copy of every class. So the bundle consists of ES modules first, and each file is then converted on its own.
 */
export async function bundleCommonJs(folder, { bundled }) {
  const { files, inputs } = await bundleEsModules(folder, { bundled, sourcemap: 'inline' });
  return { files: (await Promise.all(files.map(convert))).flat(), inputs };
}

async function convert([path, text]) {
  const { code, map } = await transform(text, {
    format: 'cjs',
    platform: 'node',
    target: TARGET,
    // Jest does not support import() in CommonJS.
    supported: { 'dynamic-import': false },
    // For createRequire, which accepts a path too.
    define: { 'import.meta.url': '__filename' },
    sourcemap: 'external',
  });
  const mapPath = `${path}.map`;
  return [
    [path, `${withClassNames(code)}//# sourceMappingURL=${mapPath.split('/').pop()}\n`],
    [mapPath, withoutPackageSources(mapPath, map)],
  ];
}
