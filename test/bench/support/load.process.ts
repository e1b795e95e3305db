/** Sends requests, in its own process so that its work is not counted as the server's. Asked by load.ts. */
import autocannon, { type Request, type Result } from 'autocannon';
import { type LoadOptions, type LoadResult } from './load.js';
import { announce, answerParent } from './program.js';
import { rotate } from './rounds.js';

// How soon the end of a run is noticed.
const SAMPLE_MS = 20;

async function run(options: LoadOptions): Promise<LoadResult> {
  const { url, connections, authorizations, limit } = options;
  const latenciesMs: number[] = [];
  const statuses: Record<number, number> = {};
  let next = 0;
  const startedMs = performance.now();
  let endedMs = startedMs;
  const amount =
    limit === 'each once' ? { amount: authorizations.length } : { duration: limit.durationMs / 1000 };
  const { errors, timeouts } = await new Promise<Result>((resolve, reject) => {
    const instance = autocannon(
      {
        url,
        connections,
        sampleInt: SAMPLE_MS,
        ...amount,
        setupClient: (client) => client.setRequests(partOf(options, next++)),
      },
      (error: Error | null, result) => (error ? reject(error) : resolve(result)),
    );
    instance.on('response', (_client, status, _bytes, durationMs) => {
      latenciesMs.push(durationMs);
      statuses[status] = (statuses[status] ?? 0) + 1;
      endedMs = performance.now();
    });
  });
  latenciesMs.sort((a, b) => a - b);
  const percentile = (share: number) => latenciesMs[Math.floor(share * (latenciesMs.length - 1))] ?? 0;
  return {
    requests: latenciesMs.length,
    durationMs: endedMs - startedMs,
    statuses,
    errors: errors + timeouts,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
  };
}

/**
 * The requests of one connection. Each header belongs to one connection, as a token belongs to one caller, so all of
 * them are in rotation at any time. If there are fewer headers than connections, each connection sends all of them.
 */
function partOf({ authorizations, connections }: LoadOptions, index: number): Request[] {
  const own =
    authorizations.length < connections
      ? rotate(authorizations, index)
      : authorizations.filter((_, position) => position % connections === index);
  return own.map((authorization) => ({ headers: authorization === null ? {} : { authorization } }));
}

answerParent({ run });
announce('');
