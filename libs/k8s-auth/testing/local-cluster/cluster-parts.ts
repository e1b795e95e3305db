import { systemClock } from '../../src/util/clock.js';
import { ClusterState } from './cluster-state.js';
import { type ClusterParts } from './endpoint.js';
import { type LocalClusterOptions } from './local-cluster.options.js';
import { Rights } from './rights.js';
import { SigningKeys } from './signing-keys.js';
import { TokenAuthenticator } from './token-authenticator.js';
import { TokenIssuer } from './token-issuer.js';

const DEFAULT_ISSUER = 'https://kubernetes.default.svc.cluster.local';
const TEN_MINUTES_MS = 600_000;

/** Creates and connects all parts behind the API. */
export async function createParts(options: LocalClusterOptions, url: () => string): Promise<ClusterParts> {
  const { clock = systemClock, issuer = DEFAULT_ISSUER, apiAudiences = [issuer] } = options;
  const state = new ClusterState(clock);
  const keys = await SigningKeys.create(options.signingAlgorithm ?? 'RS256');
  const shared = { clock, issuer, apiAudiences, state, keys };
  return {
    ...shared,
    rights: new Rights(),
    minimumTokenLifetimeMs: options.minimumTokenLifetimeMs ?? TEN_MINUTES_MS,
    tokens: new TokenIssuer(shared),
    authenticator: new TokenAuthenticator({
      ...shared,
      acceptedTokenCacheMs: options.acceptedTokenCacheMs ?? 0,
    }),
    url,
  };
}
