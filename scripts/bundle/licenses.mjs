import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The licenses of the packages that a bundle contains, which they require to be copied with them. */
export async function licensesOf(folder, inputs) {
  const packages = new Set(inputs.flatMap((path) => packageFolderOf(path) ?? []));
  const texts = [...packages].sort().map((path) => licenseOf(join(folder, path)));
  return (await Promise.all(texts)).join(`\n${'-'.repeat(80)}\n\n`);
}

function packageFolderOf(path) {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
}

async function licenseOf(folder) {
  const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  const file = (await readdir(folder)).find((path) => /^licen[cs]e/i.test(path));
  if (!file) throw new Error(`the package ${name} has no license file`);
  return `${name} ${version} (${license})\n\n${await readFile(join(folder, file), 'utf8')}`;
}
