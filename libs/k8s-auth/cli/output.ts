/** Writes one line for the user to stdout. */
export function writeLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Writes one line about a problem to stderr. */
export function writeError(line: string): void {
  process.stderr.write(`${line}\n`);
}
