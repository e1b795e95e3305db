import { exactly, type Figure, type Limit, type Measurement } from '../figure.js';
import { VerifierProcess, verifierOptions } from '../programs/verifier-process.js';
import { Cluster, type ClusterCounts } from '../support/cluster.js';

const DISTINCT_TOKENS = 200;
const REQUESTS_PER_TOKEN = 10;
const BURST = 64;
const REVIEWS_IN_SEQUENCE = { full: 1000, short: 200 };
const UNKNOWN_KEY_IDS = 2000;
/** `cooldownMs` of PUBLISHED_KEYS: between two fetches for key IDs that are not in the key set. */
const FETCH_INTERVAL_MS = 10_000;

type Reviewing = 'tokenreview' | 'hybrid';
const REVIEWING: readonly Reviewing[] = ['tokenreview', 'hybrid'];

/** What the API server receives. It counts; nothing here depends on time. */
export const exactCounts: Measurement = {
  id: 'counts',
  title: 'Requests to the API server',
  isInShort: true,
  async run(context) {
    const cluster = await Cluster.start(context);
    const verifier = await VerifierProcess.start(context);
    try {
      const counts = new Counts(cluster, verifier, REVIEWS_IN_SEQUENCE[context.isShort ? 'short' : 'full']);
      const figures: Figure[] = [];
      for (const kind of REVIEWING) {
        context.progress(kind);
        figures.push(await counts.reviewsOfDistinctTokens(kind));
        figures.push(await counts.reviewsOfBurst(kind));
        figures.push(await counts.connectionsInSequence(kind));
      }
      for (const kind of [...REVIEWING, 'oidc-discovery'] as const) {
        figures.push(await counts.keyFetchesOfBurst(kind));
      }
      for (const kind of ['oidc-discovery', 'hybrid'] as const) {
        figures.push(await counts.keyFetchesOfUnknownKeys(kind));
      }
      return figures;
    } finally {
      await Promise.all([verifier.close(), cluster.close()]);
    }
  },
};

class Counts {
  constructor(
    private readonly cluster: Cluster,
    private readonly verifier: VerifierProcess,
    private readonly reviewsInSequence: number,
  ) {}

  async reviewsOfDistinctTokens(kind: Reviewing): Promise<Figure> {
    const tokens = await this.cluster.mint(DISTINCT_TOKENS);
    await this.open(kind);
    // All tokens in rotation, so that the first uses of different tokens overlap.
    const requests = Array.from({ length: REQUESTS_PER_TOKEN }, () => tokens).flat();
    const { reviews } = await this.countWhile(() => this.verifier.accept(requests, BURST));
    return {
      id: `counts.reviews.${kind}`,
      name: `reviews of ${DISTINCT_TOKENS} tokens that ${requests.length} requests use within one lifetime, ${kind}`,
      unit: 'count',
      value: exactly(reviews),
      limit: exact(DISTINCT_TOKENS),
    };
  }

  async reviewsOfBurst(kind: Reviewing): Promise<Figure> {
    const [token = ''] = await this.cluster.mint(1);
    await this.open(kind);
    const { reviews } = await this.countWhile(() => this.acceptBurst(token));
    return {
      id: `counts.burst.${kind}`,
      name: `reviews of one cold token that ${BURST} requests use at once, ${kind}`,
      unit: 'count',
      value: exactly(reviews),
      limit: exact(1),
    };
  }

  async connectionsInSequence(kind: Reviewing): Promise<Figure> {
    const [first = '', ...tokens] = await this.cluster.mint(this.reviewsInSequence + 1);
    await this.open(kind);
    await this.verifier.accept([first]);
    const { reviews, connections } = await this.countWhile(() => this.verifier.accept(tokens));
    if (reviews !== tokens.length) throw new Error(`${kind}: ${reviews} reviews of ${tokens.length} tokens`);
    return {
      id: `counts.connections.${kind}`,
      name: `new TLS connections for ${this.reviewsInSequence} reviews in sequence, ${kind}`,
      unit: 'count',
      value: exactly(connections),
      limit: { better: 'smaller', goal: 1, gate: 2 },
    };
  }

  async keyFetchesOfBurst(kind: Reviewing | 'oidc-discovery'): Promise<Figure> {
    const [token = ''] = await this.cluster.mint(1);
    const { jwks } = await this.countWhile(async () => {
      await this.open(kind);
      await this.acceptBurst(token);
    });
    return {
      id: `counts.jwks.burst.${kind}`,
      name: `fetches of the key set from startup until ${BURST} cold requests at once are answered, ${kind}`,
      unit: 'count',
      value: exactly(jwks),
      limit: exact(1),
    };
  }

  async keyFetchesOfUnknownKeys(kind: 'oidc-discovery' | 'hybrid'): Promise<Figure> {
    const [token = ''] = await this.cluster.mint(1);
    const tokens = Array.from({ length: UNKNOWN_KEY_IDS }, (_, index) =>
      withKeyId(token, `unknown-${index}`),
    );
    await this.open(kind);
    await this.verifier.accept([token]);
    let durationMs = 0;
    const { jwks } = await this.countWhile(async () => {
      const result = await this.verifier.verify(tokens, BURST);
      if (result.accepted > 0) throw new Error(`${kind}: accepted a token of an unknown key`);
      durationMs = result.durationMs;
    });
    const intervals = 1 + Math.floor(durationMs / FETCH_INTERVAL_MS);
    return {
      id: `counts.jwks.unknown.${kind}`,
      name: `fetches of the key set for ${UNKNOWN_KEY_IDS} tokens with unknown key IDs in less than ${(intervals * FETCH_INTERVAL_MS) / 1000} s, ${kind}`,
      unit: 'count',
      value: exactly(jwks),
      limit: { better: 'smaller', goal: intervals, gate: intervals },
    };
  }

  private open(kind: Reviewing | 'oidc-discovery'): Promise<void> {
    return this.verifier.open(verifierOptions(kind, this.cluster.files));
  }

  private acceptBurst(token: string): Promise<unknown> {
    return this.verifier.accept(
      Array.from({ length: BURST }, () => token),
      BURST,
    );
  }

  private async countWhile(action: () => Promise<unknown>): Promise<ClusterCounts> {
    const before = await this.cluster.counts();
    await action();
    const after = await this.cluster.counts();
    return {
      reviews: after.reviews - before.reviews,
      jwks: after.jwks - before.jwks,
      connections: after.connections - before.connections,
    };
  }
}

function exact(count: number): Limit {
  return { better: 'exactly', goal: count, gate: count };
}

/** The token with another key ID in its header: the signature does not fit, but the key is looked up first. */
function withKeyId(token: string, kid: string): string {
  const [header = '', payload, signature] = token.split('.');
  const members = JSON.parse(Buffer.from(header, 'base64url').toString()) as object;
  const changed = Buffer.from(JSON.stringify({ ...members, kid })).toString('base64url');
  return [changed, payload, signature].join('.');
}
