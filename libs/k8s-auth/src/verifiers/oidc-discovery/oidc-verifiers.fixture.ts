import { type OwnCluster } from '../../api-server/own-cluster.fixture.js';
import { type Verifier } from '../verifier.js';
import { oidcDiscoveryDefinition, type OidcDiscoveryOptions } from './oidc-discovery.definition.js';

/** Creates the verifiers of one test with the clock and log of its cluster, and closes them together. */
export class OidcVerifiers {
  readonly made: Verifier[] = [];

  constructor(private readonly own: OwnCluster) {}

  async create(
    options: Omit<OidcDiscoveryOptions, 'kind'>,
    environment: Record<string, string> = {},
  ): Promise<Verifier> {
    const { clock, log } = this.own;
    const made = await oidcDiscoveryDefinition.create(
      { kind: 'oidc-discovery', ...options },
      { clock, log, environment },
    );
    this.made.push(made);
    return made;
  }

  async close(): Promise<void> {
    await Promise.all(this.made.map((verifier) => verifier.close()));
  }
}
