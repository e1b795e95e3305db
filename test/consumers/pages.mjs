import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../scripts/demo/root.mjs';

/** Writes the TypeScript code of the pages into an application, as a reader who copies it would. */
export async function copyCode(application) {
  const readme = codeOf(await readFile(join(ROOT, 'README.md'), 'utf8'));
  for (const [index, code] of readme.entries()) {
    await writeFile(join(application, `src/readme-${index + 1}.ts`), code);
  }
  const testing = codeOf(await readFile(join(ROOT, 'docs/testing.md'), 'utf8'));
  const example = testing.find((code) => code.includes('describe('));
  await writeFile(join(application, 'test/readme.e2e-spec.ts'), example);
}

function codeOf(markdown) {
  return [...markdown.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code);
}
