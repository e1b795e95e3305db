import { Histogram, type Registry } from 'prom-client';
import { type K8sAuthEvents } from '../src/index.js';
import { Counts } from './counts.js';
import { registerGauges } from './gauges.js';
import { registerCounters } from './counters.js';
import { type Source } from './source.js';

interface WatchedSource {
  /** How many modules watch it. */
  users: number;
  readonly end: () => void;
}

// `Symbol.for`, because one process may load the library twice. The number changes when the class changes its use.
const BY_REGISTRY = Symbol.for('nest-k8s-auth:prometheus:1');

// From a signature in memory (below 0.1 ms) to a review that has used up its timeout (30 s).
const VERIFY_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10, 30];
const REVIEW_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * The metrics of one registry. What changes with each request is a plain number that prom-client reads when somebody
 * collects the metrics. Only operations, which take a signature or a request, are measured with histograms directly.
 */
export class K8sAuthMetrics {
  private readonly counts = new Counts();
  private readonly sources = new Map<K8sAuthEvents, WatchedSource>();
  private readonly live = new Set<Source>();
  private readonly durations: Readonly<Record<'verify' | 'review', Histogram>>;

  /** The metrics of this registry, which the first caller creates. */
  static of(registry: Registry): K8sAuthMetrics {
    const holder = globalThis as { [BY_REGISTRY]?: WeakMap<Registry, K8sAuthMetrics> };
    const known = (holder[BY_REGISTRY] ??= new WeakMap<Registry, K8sAuthMetrics>());
    // `registry.clear()` removes the metrics, which tests use.
    const isRegistered = registry.getSingleMetric('k8s_auth_verdicts_total') !== undefined;
    const metrics = (isRegistered && known.get(registry)) || new K8sAuthMetrics(registry);
    known.set(registry, metrics);
    return metrics;
  }

  private constructor(registry: Registry) {
    const registers = [registry];
    this.durations = {
      verify: new Histogram({
        name: 'k8s_auth_verify_duration_seconds',
        help: 'Duration of the verifications that memory could not answer',
        labelNames: ['verifier'],
        buckets: VERIFY_BUCKETS,
        registers,
      }),
      review: new Histogram({
        name: 'k8s_auth_token_review_duration_seconds',
        help: 'Duration of the reviews of tokens by the API server, with the time in the queue and all retries',
        buckets: REVIEW_BUCKETS,
        registers,
      }),
    };
    registerCounters(registry, () => this.counts.with([...this.live]));
    registerGauges(registry, () => [...this.live]);
  }

  /**
   * Measures a `K8sAuthModule`. It is measured once, even if several callers watch it.
   * @returns a function that ends this; its counters keep their values
   */
  watch(source: Source): () => void {
    const watched = this.sources.get(source.events) ?? this.start(source);
    watched.users++;
    let isEnded = false;
    return () => {
      if (isEnded) return;
      isEnded = true;
      if (--watched.users === 0) watched.end();
    };
  }

  private start(source: Source): WatchedSource {
    const { events, statistics, clock } = source;
    const { verifier } = statistics.current();
    const verdicts = this.counts.verdictsOf(verifier);
    const unsubscribe = events.subscribe({
      onVerified: () => void verdicts.accepted++,
      onRejected: ({ outcome, code }) => verdicts.refuse(outcome, code),
      onOperation: ({ name, verifier: kind }) => {
        const startedMs = clock.monotonicMs();
        return {
          end: ({ outcome }) => {
            const seconds = (clock.monotonicMs() - startedMs) / 1000;
            if (name === 'verify') return this.durations.verify.observe({ verifier: kind }, seconds);
            this.counts.countReview(outcome);
            this.durations.review.observe(seconds);
          },
        };
      },
    });
    const end = () => {
      unsubscribe();
      this.counts.keep(statistics.current());
      this.live.delete(source);
      this.sources.delete(events);
    };
    const watched = { users: 0, end };
    this.sources.set(events, watched);
    this.live.add(source);
    return watched;
  }
}
