/** Prints a measured time of a scenario, for the description of a change. */
export function measured(what: string, ms: number): void {
  process.stdout.write(`measured: ${what} ${(ms / 1000).toFixed(1)} s\n`);
}

export function measuredSize(what: string, bytes: number): void {
  process.stdout.write(`measured: ${what} ${(bytes / 1e6).toFixed(1)} MB\n`);
}
