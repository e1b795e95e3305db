import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** The pages a reader copies from. */
export const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

/** A fenced block, and where it stands. */
export interface CodeBlock {
  readonly language: string;
  /** What follows the language on the line of the fence. */
  readonly info: string;
  readonly text: string;
  /** Line of the opening fence, counted from 1. */
  readonly line: number;
  /** The nearest heading above it. */
  readonly heading: string;
}

/** @throws {Error} a block without an end */
export function readBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: (Omit<CodeBlock, 'text'> & { readonly lines: string[] }) | undefined;
  let heading = '';
  for (const [index, line] of markdown.split('\n').entries()) {
    if (open && line === '```') {
      const { lines, ...block } = open;
      blocks.push({ ...block, text: lines.map((text) => `${text}\n`).join('') });
      open = undefined;
    } else if (open) {
      open.lines.push(line);
    } else {
      heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
      const [, language, info = ''] = /^```(\S*) *(.*)$/.exec(line) ?? [];
      if (language !== undefined) open = { language, info, line: index + 1, heading, lines: [] };
    }
  }
  if (open) throw new Error(`line ${open.line}: block without an end`);
  return blocks;
}

/** The code blocks of one language, in order. */
export function codeBlocks(page: string, language: string): string[] {
  return readBlocks(readPage(page))
    .filter((block) => block.language === language)
    .map(({ text }) => text);
}
