import { describeTokenVerifierContract } from '../../../testing/token-verifier.contract.js';
import { oidcDiscoveryDefinition } from './oidc-discovery.definition.js';

describeTokenVerifierContract(
  'oidc-discovery',
  async ({ cluster, clock, log, tokenFile }) => {
    const apiServer = { url: cluster.url, caFile: cluster.caFile, tokenFile };
    const options = { kind: 'oidc-discovery', apiServer } as const;
    const verifier = await oidcDiscoveryDefinition.create(options, { clock, log, environment: {} });
    return verifier;
  },
  { upstreams: ['discovery', 'jwks'] },
);
