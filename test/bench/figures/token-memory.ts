import { exactly, type Figure, type Measurement } from '../figure.js';
import { VerifierProcess, verifierOptions } from '../programs/verifier-process.js';
import { Cluster } from '../support/cluster.js';

// At most as many as the cache of a verifier holds. Reviews take longer.
const TOKENS = { 'jwt-pubkey': 5000, tokenreview: 2500 } as const;
const WARM_UP_TOKENS = 500;
// Reviews are limited to 16 in flight.
const CONCURRENCY = 16;

/** Heap and external memory that a verifier keeps for each token, after a garbage collection. */
export const tokenMemory: Measurement = {
  id: 'memory',
  title: 'Bytes per cached token',
  isInShort: false,
  async run(context) {
    const cluster = await Cluster.start(context);
    try {
      const tokens = await cluster.mint(TOKENS['jwt-pubkey'] + WARM_UP_TOKENS);
      const figures: Figure[] = [];
      for (const kind of ['jwt-pubkey', 'tokenreview'] as const) {
        const options = verifierOptions(kind, cluster.files);
        const verifier = await VerifierProcess.start(context);
        try {
          // Loads and compiles what the verifier needs, so that this does not count.
          await verifier.open(options);
          await verifier.accept(tokens.slice(-WARM_UP_TOKENS), CONCURRENCY);
          await verifier.open(options);
          const before = await verifier.usedBytes();
          const cached = tokens.slice(0, TOKENS[kind]);
          await verifier.accept(cached, CONCURRENCY);
          // Twice: the second time every token is found in the cache.
          await verifier.accept(cached, CONCURRENCY);
          const bytes = ((await verifier.usedBytes()) - before) / cached.length;
          context.progress(`${kind}: ${bytes.toFixed(0)} bytes per token`);
          figures.push({
            id: `memory.${kind}`,
            name: `bytes per cached token of ${tokens[0]?.length} characters, ${kind}`,
            unit: 'bytes',
            value: exactly(Math.round(bytes)),
            // The token itself is part of the entry. With a digest in its place the limits are 700 and 900.
            limit: { better: 'smaller', goal: 2000, gate: 2500 },
          });
        } finally {
          await verifier.close();
        }
      }
      return figures;
    } finally {
      await cluster.close();
    }
  },
};
