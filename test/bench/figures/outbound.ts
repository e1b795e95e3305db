import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BenchContext, type Measurement, valueOf } from '../figure.js';
import { Child } from '../support/child.js';
import { Cluster } from '../support/cluster.js';
import { rotate } from '../support/rounds.js';

export interface SendOptions {
  readonly variant: 'none' | 'header' | 'interceptor';
  /** Requests in flight at the same time. */
  readonly concurrency: number;
  readonly durationMs: number;
  readonly expectsToken: boolean;
}

export interface SendResult {
  readonly requests: number;
  readonly cpuUs: number;
  readonly durationMs: number;
}

const VARIANTS = ['none', 'header', 'interceptor'] as const;
const CONCURRENCY = 32;
// Enough for V8 to optimize axios.
const WARM_UP_MS = 2000;
const ROUND_MS = 500;
// See FLEETS of warm.ts. Together 1.5 times the rounds of other figures.
const PROCESSES = 3;
const ROUNDS_SHARE = 1 / 2;

/** `K8sAuthHttpModule` and a plain `HttpModule`, against a bare server on the other core. */
export const outbound: Measurement = {
  id: 'outbound',
  title: 'Requests with a token of the service',
  isInShort: false,
  async run(context) {
    const cluster = await Cluster.start(context);
    const [token = ''] = await cluster.mint(1);
    await cluster.close();
    const tokenFile = join(context.directory, 'outbound-token');
    writeFileSync(tokenFile, token);
    const destination = await start('destination', [], 'load', context);
    try {
      const samples: Samples[] = [];
      for (let run = 0; run < PROCESSES; run++) {
        const client = await start('outbound', [destination.url, tokenFile], 'server', context);
        samples.push(...(await measure(client.child, context).finally(() => client.child.close())));
      }
      const each = (form: (none: SendResult, interceptor: SendResult, header: SendResult) => number) =>
        valueOf(samples.map(({ none, interceptor, header }) => form(none, interceptor, header)));
      return [
        {
          id: 'outbound.cpu',
          name: `CPU time of a request, plain HttpModule / K8sAuthHttpModule, ${CONCURRENCY} in flight`,
          unit: 'ratio',
          value: each((none, interceptor) => cpuUs(none) / cpuUs(interceptor)),
          limit: { better: 'larger', goal: 0.97, gate: 0.92 },
        },
        {
          id: 'outbound.cpu.header',
          name: 'the same for a token that four lines add to a plain HttpModule, without any check',
          unit: 'ratio',
          value: each((none, _interceptor, header) => cpuUs(none) / cpuUs(header)),
        },
        {
          id: 'outbound.cpu.checks',
          name: 'CPU time of a request, these four lines / K8sAuthHttpModule',
          unit: 'ratio',
          value: each((_none, interceptor, header) => cpuUs(header) / cpuUs(interceptor)),
        },
        {
          id: 'outbound.throughput',
          name: 'throughput, K8sAuthHttpModule / plain HttpModule',
          unit: 'ratio',
          value: each((none, interceptor) => perSecond(interceptor) / perSecond(none)),
        },
        {
          id: 'outbound.added',
          name: 'CPU time that K8sAuthHttpModule adds to a request',
          unit: 'us',
          value: each((none, interceptor) => cpuUs(interceptor) - cpuUs(none)),
        },
        {
          id: 'outbound.none',
          name: 'CPU time of a request of a plain HttpModule',
          unit: 'us',
          value: each((none) => cpuUs(none)),
        },
      ];
    } finally {
      await destination.child.close();
    }
  },
};

type Samples = Readonly<Record<SendOptions['variant'], SendResult>>;

async function measure(client: Child, context: BenchContext): Promise<Samples[]> {
  const send = (variant: SendOptions['variant'], durationMs: number) =>
    client.ask<SendResult>('send', {
      variant,
      concurrency: CONCURRENCY,
      durationMs,
      expectsToken: variant !== 'none',
    } satisfies SendOptions);
  for (const variant of VARIANTS) await send(variant, WARM_UP_MS);
  const samples: Samples[] = [];
  for (let round = 0; round < Math.ceil(context.rounds * ROUNDS_SHARE); round++) {
    const sample: Partial<Record<SendOptions['variant'], SendResult>> = {};
    for (const variant of rotate(VARIANTS, round)) {
      context.signal.throwIfAborted();
      sample[variant] = await send(variant, ROUND_MS);
    }
    const { none, header, interceptor } = sample as Samples;
    samples.push({ none, header, interceptor });
    context.progress(
      `none ${cpuUs(none).toFixed(0)}, header ${cpuUs(header).toFixed(0)}, with tokens ${cpuUs(interceptor).toFixed(0)} us per request`,
    );
  }
  return samples;
}

function start(name: string, args: readonly string[], role: 'server' | 'load', context: BenchContext) {
  const program = fileURLToPath(new URL(`../programs/${name}.process.js`, import.meta.url));
  return Child.start(context, { name, args: [program, ...args], role });
}

function cpuUs({ cpuUs, requests }: SendResult): number {
  return cpuUs / requests;
}

function perSecond({ requests, durationMs }: SendResult): number {
  return (requests / durationMs) * 1000;
}
