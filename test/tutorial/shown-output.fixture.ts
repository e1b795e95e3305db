/**
 * Placeholder for output that differs between runs: alone on a line it matches any lines, otherwise any text on that
 * line.
 */
export const ANYTHING = '…';

/**
 * Compares what was printed with what the page shows. White space at the end of lines and at the end of all is not
 * compared: it cannot be seen, and formatters take it away.
 * @returns undefined when it is the same, or else what is missing
 */
export function findDifference(shown: string, printed: string): string | undefined {
  const patterns = linesOf(shown);
  const lines = linesOf(printed);
  // Like matching file names with `*`: when a line does not match, the last `…` above takes one more line.
  let [atPattern, atLine, deepest] = [0, 0, 0];
  let retry: { readonly pattern: number; line: number } | undefined;
  while (atPattern < patterns.length || atLine < lines.length) {
    const pattern = patterns[atPattern];
    const line = lines[atLine];
    if (pattern?.trim() === ANYTHING) {
      atPattern++;
      retry = { pattern: atPattern, line: atLine };
    } else if (pattern !== undefined && line !== undefined && fits(pattern, line)) {
      atPattern++;
      atLine++;
    } else if (retry && retry.line < lines.length) {
      retry.line++;
      [atPattern, atLine] = [retry.pattern, retry.line];
    } else {
      return describe(patterns[deepest], printed);
    }
    deepest = Math.max(deepest, atPattern);
  }
  return undefined;
}

function describe(pattern: string | undefined, printed: string): string {
  const missing = pattern === undefined ? 'nothing more' : `the line '${pattern}'`;
  return `expected ${missing}; printed was:\n${printed}`;
}

function linesOf(text: string): string[] {
  const trimmed = text.trimEnd();
  return trimmed === '' ? [] : trimmed.split('\n').map((line) => line.trimEnd());
}

function fits(pattern: string, line: string): boolean {
  const parts = pattern.split(ANYTHING).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'u').test(line);
}
