import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type BenchContext, type Figure, type Measurement, valueOf } from '../figure.js';
import { pin } from '../support/pin.js';
import { rotate } from '../support/rounds.js';

/** What a service imports anyway. */
const BASE = ['@nestjs/common', '@nestjs/core', '@nestjs/platform-fastify', '@nestjs/axios'];
const LIBRARY = 'nest-k8s-auth';
// For docs/adr/0016: packages of the library, each on top of the base. A package that the base also imports costs nothing more.
const PACKAGES = ['zod', '@nestjs/config', 'undici', 'openid-client', '@kubernetes/client-node'];
const MAX_ROUNDS = { library: 5, packages: 2 };

interface Cost {
  readonly cpuMs: number;
  readonly rssMb: number;
}

/** What `import 'nest-k8s-auth'` costs in a new process that has already imported Nest. */
export const importCost: Measurement = {
  id: 'import',
  title: 'Cost of the import',
  isInShort: true,
  async run(context) {
    const costs = new Map<string, Cost[]>();
    const names = context.isShort ? [LIBRARY] : [LIBRARY, ...PACKAGES];
    for (let round = 0; round < Math.min(context.rounds, MAX_ROUNDS.library); round++) {
      const inThisRound = round < MAX_ROUNDS.packages ? names : [LIBRARY];
      for (const name of rotate(inThisRound, round)) {
        costs.set(name, [...(costs.get(name) ?? []), await measure(name, context)]);
      }
    }
    return names.flatMap((name) => figuresOf(name, costs.get(name) ?? []));
  },
};

function figuresOf(name: string, costs: readonly Cost[]): Figure[] {
  const isLibrary = name === LIBRARY;
  const id = isLibrary ? 'import' : `import.package.${name}`;
  const imported = `import of ${name} over Nest, Fastify and @nestjs/axios`;
  return [
    {
      id: `${id}.cpu`,
      name: `${imported}: CPU time`,
      unit: 'ms',
      value: valueOf(costs.map(({ cpuMs }) => cpuMs)),
      ...(isLibrary && { limit: { better: 'smaller', goal: 30, gate: 60 } as const }),
    },
    {
      id: `${id}.rss`,
      name: `${imported}: memory (RSS)`,
      unit: 'MB',
      value: valueOf(costs.map(({ rssMb }) => rssMb)),
      ...(isLibrary && { limit: { better: 'smaller', goal: 3, gate: 6 } as const }),
    },
  ];
}

/** In one process, because the base takes several times as long as the library, and its time varies by more than that. */
async function measure(name: string, { signal }: BenchContext): Promise<Cost> {
  const program = `
    for (const name of ${JSON.stringify(BASE)}) await import(name);
    gc();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const rssBefore = process.memoryUsage.rss();
    const cpuBefore = process.cpuUsage();
    await import(${JSON.stringify(name)});
    const { user, system } = process.cpuUsage(cpuBefore);
    gc();
    const rss = process.memoryUsage.rss() - rssBefore;
    console.log(JSON.stringify({ cpuMs: (user + system) / 1e3, rssMb: rss / 2 ** 20 }));`;
  const { command, args } = pin('server', {
    command: process.execPath,
    args: ['--expose-gc', '--input-type=module', '--eval', program],
  });
  // Imports are resolved from the working directory.
  const { stdout } = await promisify(execFile)(command, [...args], { cwd: import.meta.dirname, signal });
  return JSON.parse(stdout) as Cost;
}
