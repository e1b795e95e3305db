import { describeTokenVerifierContract } from '../../../testing/token-verifier.contract.js';
import { hybridDefinition } from './hybrid.definition.js';

describeTokenVerifierContract(
  'hybrid',
  async ({ cluster, clock, log, tokenFile }) => {
    const apiServer = { url: cluster.url, caFile: cluster.caFile, tokenFile };
    const options = { kind: 'hybrid', apiServer } as const;
    return hybridDefinition.create(options, { clock, log, environment: {} });
  },
  { upstreams: ['discovery', 'jwks', 'tokenreviews'] },
);
