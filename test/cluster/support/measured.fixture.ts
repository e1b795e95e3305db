/** A line of the run's output with what a scenario measured, for the closing note of a change. */
export function measured(what: string, ms: number): void {
  process.stdout.write(`measured: ${what} ${(ms / 1000).toFixed(1)} s\n`);
}
