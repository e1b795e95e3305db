/** Sends requests, in its own process so that its work is not counted as the server's. Asked by load.ts. */
import autocannon, { type Request, type Result } from 'autocannon';
import { type LoadOptions, type LoadResult } from './load.js';
import { announce, answerParent } from './program.js';

// How soon the end of a run is noticed.
const SAMPLE_MS = 20;

async function run(options: LoadOptions): Promise<LoadResult> {
  const { url, connections, authorizations, limit } = options;
  const latenciesMs: number[] = [];
  const statuses: Record<number, number> = {};
  let next = 0;
  const startedMs = performance.now();
  let endedMs = startedMs;
  const amount = 'requests' in limit ? { amount: limit.requests } : { duration: limit.durationMs / 1000 };
  const { errors, timeouts } = await new Promise<Result>((resolve, reject) => {
    const instance = autocannon(
      {
        url,
        connections,
        sampleInt: SAMPLE_MS,
        ...amount,
        setupClient: (client) => client.setRequests(partOf(authorizations, next++, options)),
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
 * The requests of one connection. In rotation each connection starts at another header, so that they do not all send
 * the same token at the same time; `once` gives each header to one connection only.
 */
function partOf(
  authorizations: LoadOptions['authorizations'],
  index: number,
  { connections, sendEachOnce }: LoadOptions,
): Request[] {
  const start = Math.floor((index * authorizations.length) / connections);
  const own = sendEachOnce
    ? authorizations.filter((_, position) => position % connections === index)
    : [...authorizations.slice(start), ...authorizations.slice(0, start)];
  return own.map((authorization) => ({ headers: authorization === null ? {} : { authorization } }));
}

answerParent({ run });
announce('');
