import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { CHUNKS } from './es-modules.mjs';
import { ENTRY_FOLDERS, LIBRARY } from './paths.mjs';

/**
 * Bundles the declarations of the public entries. Only what users can reach remains, so the packages that the library uses
 * inside are not needed to compile an application.
 * @returns {Promise<[path: string, text: string][]>} paths are relative to `folder`
 */
export async function bundleDeclarations(folder) {
  const bundle = await rollup({
    input: Object.fromEntries(
      ['src', ...ENTRY_FOLDERS].map((name) => [`${name}/index`, join(folder, `${name}/index.d.ts`)]),
    ),
    plugins: [dts()],
    onLog(level, log, report) {
      // Types of parameters that users pass on and never name, such as the log in a `VerifierContext`.
      if (!/private shared type exports/.test(log.message)) report(level, log);
    },
    external: (id) => !/^[./]|^[a-zA-Z]:\\/.test(id),
  });
  const { output } = await bundle.generate({
    format: 'es',
    entryFileNames: '[name].d.ts',
    chunkFileNames: `${CHUNKS}/types-[hash].d.ts`,
  });
  const { peerDependenciesMeta } = JSON.parse(await readFile(join(LIBRARY, 'package.json'), 'utf8'));
  const optional = Object.keys(peerDependenciesMeta);
  return output.map(({ fileName, code }) => [fileName, ignoreMissing(optional, code)]);
}

/** Types of an optional package that is not installed become `any`, also for applications without `skipLibCheck`. */
function ignoreMissing(packages, code) {
  return code.replace(/^import .* from '(.*)';$/gm, (line, name) =>
    packages.includes(name) ? `// @ts-ignore: ${name} is an optional package\n${line}` : line,
  );
}
