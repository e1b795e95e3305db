const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** `3 minutes`: a duration in the largest unit that fits. @internal */
export function durationText(durationMs: number): string {
  const [name, unitMs] = UNITS.find(([, ms]) => Math.abs(durationMs) >= ms) ?? ['second', 1_000];
  const count = Math.round(Math.abs(durationMs) / unitMs);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
