import { type CodeBlock, readBlocks } from '../docs/code-blocks.js';

/** A shell block of a page, and what the page says that it prints. */
export interface Step {
  readonly heading: string;
  /** Of the block, in the page. */
  readonly line: number;
  readonly commands: string;
  /** Empty when the page shows no output: then nothing may be printed. */
  readonly shown: string;
  readonly deadlineMs: number;
}

const SHELL = 'sh';
const OUTPUTS = ['text', 'json', 'yaml'];
const DEFAULT_DEADLINE_S = 60;
// Code in Markdown that readBlocks does not find, so it would not be executed.
const OTHER_CODE = /^(\s+```|\s*~~~| {4,}\S|\t)/;

/**
 * Everything that looks like code in the page, as steps: shell blocks, each with the block in one of the output's
 * languages that follows it. `sh deadline=300` gives a block that many seconds.
 * @throws {Error} naming the line of code that would be neither executed nor compared
 */
export function readSteps(markdown: string): Step[] {
  const blocks = readBlocks(markdown);
  refuseOtherCode(markdown, blocks);
  return blocks.flatMap((block, index) => {
    if (block.language === SHELL) return [toStep(block, blocks[index + 1])];
    if (!OUTPUTS.includes(block.language)) {
      throw new Error(
        `line ${block.line}: expected ${[SHELL, ...OUTPUTS].join(', ')}, got '${block.language}'`,
      );
    }
    if (blocks[index - 1]?.language !== SHELL) {
      throw new Error(`line ${block.line}: expected output to follow a block of commands`);
    }
    return [];
  });
}

function toStep({ heading, line, info, text }: CodeBlock, next: CodeBlock | undefined): Step {
  const [, seconds = DEFAULT_DEADLINE_S] = /^deadline=(\d+)$/.exec(info) ?? [];
  if (info !== '' && seconds === DEFAULT_DEADLINE_S) {
    throw new Error(`line ${line}: expected deadline=SECONDS, got '${info}'`);
  }
  const shown = next && next.language !== SHELL ? next.text : '';
  return { heading, line, commands: text, shown, deadlineMs: Number(seconds) * 1000 };
}

function refuseOtherCode(markdown: string, blocks: readonly CodeBlock[]): void {
  const fenced = new Set(
    blocks.flatMap(({ line, text }) => text.split('\n').map((_, offset) => line + offset)),
  );
  for (const [index, text] of markdown.split('\n').entries()) {
    if (OTHER_CODE.test(text) && !fenced.has(index + 1)) {
      throw new Error(
        `line ${index + 1}: expected code to stand in a block that begins with \`\`\` on the left`,
      );
    }
  }
}
