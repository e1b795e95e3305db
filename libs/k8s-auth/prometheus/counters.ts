import { Counter, type Registry } from 'prom-client';
import { type CounterValues } from './counts.js';

interface CounterDefinition {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly values: keyof CounterValues;
}

const COUNTERS: readonly CounterDefinition[] = [
  {
    name: 'k8s_auth_verdicts_total',
    help: 'Requests by outcome and reason',
    labelNames: ['verifier', 'outcome', 'code'],
    values: 'verdicts',
  },
  {
    name: 'k8s_auth_verdict_cache_hits_total',
    help: 'Verdicts that were in memory',
    labelNames: ['verifier'],
    values: 'cacheHits',
  },
  {
    name: 'k8s_auth_verdict_cache_misses_total',
    help: 'Verdicts that were not in memory',
    labelNames: ['verifier'],
    values: 'cacheMisses',
  },
  {
    name: 'k8s_auth_token_reviews_total',
    help: 'Reviews of tokens by the API server, by result',
    labelNames: ['result'],
    values: 'reviews',
  },
  {
    name: 'k8s_auth_would_refuse_total',
    help: 'Requests that passed although they would be refused if their route were enforced, by route and reason code',
    labelNames: ['route', 'code'],
    values: 'wouldRefuse',
  },
];

/** @param read the values, when somebody collects the metrics */
export function registerCounters(registry: Registry, read: () => CounterValues): void {
  for (const { values, ...definition } of COUNTERS) {
    new Counter({
      ...definition,
      registers: [registry],
      collect() {
        this.reset();
        for (const { labels, value } of read()[values]) this.inc({ ...labels }, value);
      },
    });
  }
}
