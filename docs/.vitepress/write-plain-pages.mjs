import { cp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sidebar, titleOf } from './sidebar.mjs';
import { IMAGE_FOLDERS, OUTPUT, STAGED } from './site-paths.mjs';

/**
 * Puts the Markdown of every page beside its HTML, and writes llms.txt (https://llmstxt.org), which lists them all.
 * Links are relative, so that they work wherever the site is served.
 * @param {{ title: string, description: string }} site
 */
export async function writePlainPages({ title, description }) {
  const pages = (await readdir(STAGED, { recursive: true })).filter((path) => path.endsWith('.md')).sort();
  for (const path of [...pages, ...IMAGE_FOLDERS])
    await cp(join(STAGED, path), join(OUTPUT, path), { recursive: true });
  const groups = [
    ...sidebar(pages).map(({ text, items }) => [text, items.map(({ link }) => toPage(link))]),
    ['Decisions', pages.filter((page) => /^adr\/\d/.test(page))],
    ['API reference', pages.filter((page) => page.startsWith('api/') && page !== 'api/index.md')],
  ];
  const lists = groups.map(
    ([text, names]) => `## ${text}\n\n${names.map((page) => `- [${titleOf(page)}](${page})`).join('\n')}\n`,
  );
  await writeFile(join(OUTPUT, 'llms.txt'), `# ${title}\n\n> ${description}\n\n${lists.join('\n')}`);
}

function toPage(link) {
  return `${link.slice(1)}${/(^|\/)$/.test(link) ? 'index' : ''}.md`.replace(/^index\/index/, 'index');
}
