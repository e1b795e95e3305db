import { fileURLToPath } from 'node:url';
import { type BenchContext } from '../figure.js';
import { Child } from './child.js';

/** What a server needs in order to trust the stand-in. Plain data: it is passed to servers as JSON. */
export interface ClusterFiles {
  readonly url: string;
  readonly issuer: string;
  readonly caFile: string;
  /** The API token of a ServiceAccount that may create TokenReviews, as in a pod. */
  readonly tokenFile: string;
  /** Of the same ServiceAccount. */
  readonly kubeconfigFile: string;
  /** PEM: the cluster's keys, and the key of the ES384 tokens. */
  readonly publicKeysFile: string;
}

export interface MintOptions {
  readonly count: number;
  readonly audience: string;
  /** The API server publishes no key for ES384: only `jwt-pubkey` accepts these tokens. */
  readonly algorithm: 'RS256' | 'ES256' | 'ES384';
  /** Negative: expired since then. */
  readonly lifetimeSeconds: number;
}

/** What the stand-in has received so far. */
export interface ClusterCounts {
  readonly reviews: number;
  readonly jwks: number;
  readonly connections: number;
}

/** The audience of every server of the bench. */
export const AUDIENCE = 'orders';

const LIFETIME_SECONDS = 3600;

/** The stand-in for an API server (`LocalCluster`) in its own process. It signs the tokens, new ones for each run. */
export class Cluster {
  private constructor(
    private readonly child: Child,
    readonly files: ClusterFiles,
  ) {}

  static async start(context: BenchContext): Promise<Cluster> {
    const program = fileURLToPath(new URL('cluster.process.js', import.meta.url));
    const { child } = await Child.start(context, {
      name: 'cluster',
      args: [program, context.directory],
      role: 'load',
    });
    return new Cluster(child, await child.ask<ClusterFiles>('files'));
  }

  /** Bound tokens of about 1.2 kB that differ in their `jti`. RS256: about 0.3 ms each. */
  mint(count: number, options: Partial<MintOptions> = {}): Promise<string[]> {
    return this.child.ask<string[]>('mint', {
      count,
      audience: AUDIENCE,
      algorithm: 'RS256',
      lifetimeSeconds: LIFETIME_SECONDS,
      ...options,
    });
  }

  counts(): Promise<ClusterCounts> {
    return this.child.ask<ClusterCounts>('counts');
  }

  close(): Promise<void> {
    return this.child.close();
  }
}

/** The value of the `Authorization` header. */
export function bearer(token: string): string {
  return `Bearer ${token}`;
}
