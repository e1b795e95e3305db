import { format, resolveConfig } from 'prettier';

/** Finds the generated blocks of a page. Their content is replaced, all other text is written by hand. */
const BLOCK = /<!-- bench:([a-z-]+) -->\n[^]*?<!-- \/bench:\1 -->/g;
const MARKER = /<!-- \/?bench:[a-z-]+ -->/g;

/**
 * Replaces the content of every generated block.
 * @throws {Error} a block has no content, a content has no block, or a marker has no counterpart
 */
export function replaceBlocks(page: string, contents: Readonly<Record<string, string>>): string {
  const names = [...page.matchAll(BLOCK)].map(([, name = '']) => name);
  if ((page.match(MARKER) ?? []).length !== 2 * names.length) throw new Error('a marker has no counterpart');
  const wanted = Object.keys(contents);
  const isSame = names.toSorted().join() === wanted.toSorted().join();
  if (!isSame) throw new Error(`the page has the blocks ${names.join()}, but expected are ${wanted.join()}`);
  return page.replace(BLOCK, (_, name: string) => {
    return `<!-- bench:${name} -->\n\n${contents[name]}\n\n<!-- /bench:${name} -->`;
  });
}

/** The content of one generated block. */
export function readBlock(page: string, name: string): string | undefined {
  const found = [...page.matchAll(BLOCK)].find(([, found]) => found === name);
  return found?.[0].split('\n').slice(1, -1).join('\n').trim();
}

/** @param alignments one for each column; `right` for numbers */
export function markdownTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  alignments: readonly ('left' | 'right')[] = headings.map(() => 'left'),
): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escapeCell).join(' | ')} |`;
  const separator = `| ${alignments.map((side) => (side === 'right' ? '--:' : '---')).join(' | ')} |`;
  return [line(headings), separator, ...rows.map(line)].join('\n');
}

/** Formats a file as `npm run format` does. */
export async function formatFile(path: string, text: string): Promise<string> {
  return format(text, { ...(await resolveConfig(path)), filepath: path });
}

function escapeCell(text: string): string {
  return text.replace(/[\\|<]/g, '\\$&').replace(/\s+/g, ' ');
}
