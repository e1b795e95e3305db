import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LIBRARY } from './paths.mjs';

const { peerDependenciesMeta } = JSON.parse(await readFile(join(LIBRARY, 'package.json'), 'utf8'));
const OPTIONAL = Object.keys(peerDependenciesMeta);

/**
 * Bundlers of applications accept that a package is missing if it is loaded inside of a `try` block of the same function.
 * Otherwise a service could not be bundled without every optional package.
 */
const inTry = (expression) =>
  `(async () => { try { return ${expression}; } catch (error) { throw error; } })()`;

/** Changes how ES modules import optional packages. */
export function importOptional(code) {
  return code.replace(/\bimport\("([^"]+)"\)/g, (expression, name) =>
    OPTIONAL.includes(name) ? inTry(`await ${expression}`) : expression,
  );
}

/** The same for CommonJS, where esbuild has already replaced `import(...)`. */
export function requireOptional(code) {
  return code.replace(
    /Promise\.resolve\(\)\.then\(\(\) => (__toESM\(require\("([^"]+)"\)\))\)/g,
    (expression, required, name) => (OPTIONAL.includes(name) ? inTry(required) : expression),
  );
}
