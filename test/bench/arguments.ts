import { parseArgs } from 'node:util';

export const USAGE = `npm run bench [-- --short] [-- --only ID] [-- --rounds N]
  --short     exact counts, import cost and the warm ratio only; takes about a minute
  --only ID   only the figures whose ID starts with ID, such as warm
  --rounds N  rounds of each measurement, from 1 to 99
A run without --short and --only writes docs/performance.md, docs/performance.json and the charts in docs/performance.`;

const ROUNDS = { full: 7, short: 3 };

export interface BenchArguments {
  readonly wantsHelp: boolean;
  readonly isShort: boolean;
  /** The start of the IDs to run. Empty for all. */
  readonly only: string;
  readonly rounds: number;
  /** Only a run of everything writes the documentation. */
  readonly writesDocs: boolean;
}

/** @throws {Error} an unknown or wrong argument */
export function parseArguments(args: readonly string[]): BenchArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      short: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      rounds: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { short: isShort, only, rounds = String(isShort ? ROUNDS.short : ROUNDS.full) } = values;
  if (!/^[1-9]\d?$/.test(rounds)) throw new Error(`--rounds: expected a number from 1 to 99, got ${rounds}`);
  return {
    wantsHelp: values.help,
    isShort,
    only,
    rounds: Number(rounds),
    writesDocs: !isShort && only === '',
  };
}
