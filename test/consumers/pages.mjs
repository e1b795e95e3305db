import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../../scripts/demo/root.mjs';

/**
 * Writes the TypeScript code of the pages into an application, as a reader who copies it would.
 * @param {{ source: string, test: string | false }} target the folder for README.md, and the file for docs/testing.md
 */
export async function copyCode({ source, test }) {
  const readme = codeOf(await readFile(join(ROOT, 'README.md'), 'utf8'));
  for (const [index, code] of readme.entries()) {
    await writeFile(join(source, `readme-${index + 1}.ts`), code);
  }
  if (!test) return;
  const testing = codeOf(await readFile(join(ROOT, 'docs/testing.md'), 'utf8'));
  await writeFile(
    test,
    testing.find((code) => code.includes('describe(')),
  );
}

function codeOf(markdown) {
  return [...markdown.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code);
}
