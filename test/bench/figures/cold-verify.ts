import { type BenchContext, type Figure, type Limit, type Measurement, valueOf } from '../figure.js';
import { VerifierProcess } from '../programs/verifier-process.js';
import { Cluster } from '../support/cluster.js';
import { type OpensslAlgorithm, opensslVerificationsPerSecond } from '../support/openssl.js';

interface Algorithm {
  readonly name: 'RS256' | 'ES256';
  readonly openssl: OpensslAlgorithm;
  readonly tokens: number;
  readonly limit: Limit;
}

const ALGORITHMS: readonly Algorithm[] = [
  { name: 'RS256', openssl: 'rsa2048', tokens: 3000, limit: { better: 'larger', goal: 0.58, gate: 0.5 } },
  { name: 'ES256', openssl: 'ecdsap256', tokens: 1500, limit: { better: 'larger', goal: 0.8, gate: 0.7 } },
];
// A round with openssl takes 2 s for each algorithm.
const MAX_ROUNDS = 5;
// Enough for V8 to optimize the path.
const WARM_UP_VERIFIERS = 2;
const WARM_UP_TOKENS = 2_000;

/**
 * Whole JWTs: syntax, signature, claims and principal. Without the memory of the verifier, whose cost is part of the cold
 * requests over HTTP. openssl runs on the same core in the same round.
 */
export const coldVerify: Measurement = {
  id: 'cold-verify',
  title: 'Cold verification of a whole JWT, compared with openssl speed',
  isInShort: false,
  async run(context) {
    const cluster = await Cluster.start(context);
    const verifier = await VerifierProcess.start(context);
    try {
      const figures: Figure[] = [];
      for (const algorithm of ALGORITHMS) {
        figures.push(...(await measure(algorithm, context, cluster, verifier)));
      }
      return figures;
    } finally {
      await Promise.all([verifier.close(), cluster.close()]);
    }
  },
};

async function measure(
  { name, openssl, tokens: count, limit }: Algorithm,
  context: BenchContext,
  cluster: Cluster,
  verifier: VerifierProcess,
): Promise<Figure[]> {
  const tokens = await cluster.mint(WARM_UP_TOKENS + count, { algorithm: name });
  const { issuer, publicKeysFile } = cluster.files;
  const verifiesPerCpuSecond = async (): Promise<number> =>
    1e6 / (await verifier.verifyUncached({ issuer, publicKeysFile, tokens, warmUpTokens: WARM_UP_TOKENS }));
  for (let time = 0; time < WARM_UP_VERIFIERS; time++) await verifiesPerCpuSecond();
  const ours: number[] = [];
  const limits: number[] = [];
  for (let round = 0; round < Math.min(context.rounds, MAX_ROUNDS); round++) {
    // Before and after openssl, because the speed of the core changes.
    const before = await verifiesPerCpuSecond();
    const limit = await opensslVerificationsPerSecond(context, openssl);
    const after = await verifiesPerCpuSecond();
    ours.push(2 / (1 / before + 1 / after));
    if (limit !== undefined) limits.push(limit);
    context.progress(
      `${name}: ours ${before.toFixed(0)} and ${after.toFixed(0)}/s, openssl ${limit?.toFixed(0)}/s`,
    );
  }
  const ratio = {
    id: `cold-verify.${name}`,
    name: `cold verification of a ${name} token / openssl`,
    unit: 'ratio',
    limit,
  };
  return [
    limits.length < ours.length
      ? { ...ratio, note: 'openssl is not usable' }
      : { ...ratio, value: valueOf(ours.map((one, round) => one / (limits[round] ?? Number.NaN))) },
    {
      id: `cold-verify.${name}.per-second`,
      name: `${name} tokens that one core verifies`,
      unit: 'tokens/s',
      value: valueOf(ours),
    },
    ...(limits.length > 0
      ? [
          {
            id: `cold-verify.${name}.openssl`,
            name: `${openssl}: openssl speed, one core`,
            unit: 'signatures/s',
            value: valueOf(limits),
          },
        ]
      : []),
  ];
}
