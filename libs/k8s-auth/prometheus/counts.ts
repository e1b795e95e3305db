import { type OperationResult, type RefusalOutcome, type Statistics } from '../src/index.js';

/** One line of a metric. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The verdicts of all modules with one kind of verifier. */
export class VerdictCounts {
  /** A plain number, because it changes with each request. */
  accepted = 0;
  private readonly refused = new Map<string, { readonly outcome: RefusalOutcome; count: number }>();

  /** The codes are a closed set, so the number of entries is bounded. */
  refuse(outcome: RefusalOutcome, code: string): void {
    const known = this.refused.get(code);
    if (known) known.count++;
    else this.refused.set(code, { outcome, count: 1 });
  }

  samples(verifier: string): Sample[] {
    const refused = [...this.refused].map(([code, { outcome, count }]) => ({
      labels: { verifier, outcome, code },
      value: count,
    }));
    return [{ labels: { verifier, outcome: 'accepted', code: 'none' }, value: this.accepted }, ...refused];
  }
}

/** The values of all counters at one moment. */
export interface CounterValues {
  readonly verdicts: readonly Sample[];
  readonly cacheHits: readonly Sample[];
  readonly cacheMisses: readonly Sample[];
  readonly reviews: readonly Sample[];
  /** Two modules may count for the same route and code. */
  readonly wouldRefuse: readonly Sample[];
}

type CacheCounts = Record<'cacheHits' | 'cacheMisses', number>;

/** What was counted for one registry. Values of modules that have ended are kept: a counter must not decrease. */
export class Counts {
  private readonly verdicts = new Map<string, VerdictCounts>();
  private readonly reviews = { accepted: 0, rejected: 0, unavailable: 0 };
  private readonly endedCaches = new Map<string, CacheCounts>();
  private readonly endedWouldRefuse: Sample[] = [];

  /** The counts for one kind of verifier, which its modules share. */
  verdictsOf(verifier: string): VerdictCounts {
    const counts = this.verdicts.get(verifier) ?? new VerdictCounts();
    this.verdicts.set(verifier, counts);
    return counts;
  }

  countReview(result: OperationResult['outcome']): void {
    this.reviews[result]++;
  }

  /** Keeps the figures of a module that ends. */
  keep(statistics: Statistics): void {
    add(this.endedCaches, statistics);
    this.endedWouldRefuse.push(...wouldRefuseSamples(statistics));
  }

  /** @param live the modules that have not ended */
  with(live: readonly { readonly statistics: { current(): Statistics } }[]): CounterValues {
    const caches = new Map([...this.endedCaches].map(([verifier, counts]) => [verifier, { ...counts }]));
    const current = live.map(({ statistics }) => statistics.current());
    for (const statistics of current) add(caches, statistics);
    const cacheSamples = (name: keyof CacheCounts) =>
      [...caches].map(([verifier, counts]) => ({ labels: { verifier }, value: counts[name] }));
    return {
      verdicts: [...this.verdicts].flatMap(([verifier, counts]) => counts.samples(verifier)),
      cacheHits: cacheSamples('cacheHits'),
      cacheMisses: cacheSamples('cacheMisses'),
      wouldRefuse: [...this.endedWouldRefuse, ...current.flatMap(wouldRefuseSamples)],
      reviews: Object.entries(this.reviews).map(([result, value]) => ({ labels: { result }, value })),
    };
  }
}

function wouldRefuseSamples({ wouldRefuse }: Statistics): Sample[] {
  return wouldRefuse.map(({ route, code, count }) => ({ labels: { route, code }, value: count }));
}

function add(caches: Map<string, CacheCounts>, { verifier, verification }: Statistics): void {
  if (!verification) return;
  const { cacheHits = 0, cacheMisses = 0 } = caches.get(verifier) ?? {};
  caches.set(verifier, {
    cacheHits: cacheHits + verification.cacheHits,
    cacheMisses: cacheMisses + verification.cacheMisses,
  });
}
