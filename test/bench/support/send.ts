import autocannon, { type Request, type Result } from 'autocannon';
import { type LoadOptions, type LoadResult } from './load.js';
import { rotate } from './rounds.js';

// How soon the end of a run is noticed.
const SAMPLE_MS = 20;

/** Sends requests until the limit, and counts the statuses. Runs in the load process. */
export async function send(options: LoadOptions): Promise<LoadResult> {
  const { url, connections, authorizations, limit, staysAwake = false } = options;
  const latenciesMs: number[] = [];
  const statuses: Record<number, number> = {};
  let next = 0;
  const startedMs = performance.now();
  let endedMs = startedMs;
  const amount =
    limit === 'each once' ? { amount: authorizations.length } : { duration: limit.durationMs / 1000 };
  const run = new Promise<Result>((resolve, reject) => {
    const instance = autocannon(
      {
        url,
        connections,
        sampleInt: SAMPLE_MS,
        ...amount,
        setupClient: (client) =>
          client.setRequests(partOf(authorizations, connections, next++).map(requestOf)),
      },
      (error: Error | null, result) => (error ? reject(error) : resolve(result)),
    );
    instance.on('response', (_client, status, _bytes, durationMs) => {
      latenciesMs.push(durationMs);
      statuses[status] = (statuses[status] ?? 0) + 1;
      endedMs = performance.now();
    });
  });
  const letSleep = staysAwake ? stayAwake() : () => {};
  const { errors, timeouts } = await run.finally(letSleep);
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

/** @returns a function that ends it */
function stayAwake(): () => void {
  let turn = setImmediate(function next() {
    turn = setImmediate(next);
  });
  return () => clearImmediate(turn);
}

/**
 * The headers of one connection. Each header belongs to one connection, as a token belongs to one caller, so all of
 * them are in rotation at any time. If there are fewer headers than connections, each connection sends all of them.
 */
export function partOf(
  authorizations: LoadOptions['authorizations'],
  connections: number,
  index: number,
): LoadOptions['authorizations'] {
  if (authorizations.length < connections) return rotate(authorizations, index);
  return authorizations.filter((_, position) => position % connections === index);
}

function requestOf(authorization: string | null): Request {
  return { headers: authorization === null ? {} : { authorization } };
}
