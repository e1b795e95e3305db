import { describeTokenVerifierContract } from '../../../testing/token-verifier.contract.js';
import { tokenreviewDefinition } from './tokenreview.definition.js';

describeTokenVerifierContract(
  'tokenreview',
  async ({ cluster, clock, log, tokenFile }) => {
    const apiServer = { url: cluster.url, caFile: cluster.caFile, tokenFile };
    const options = { kind: 'tokenreview', apiServer } as const;
    return tokenreviewDefinition.create(options, { clock, log, environment: {} });
  },
  {
    upstreams: ['tokenreviews'],
    reasons: { SIGNATURE: 'REJECTED', ISSUER: 'REJECTED', NOT_YET_VALID: 'REJECTED' },
    ignoresSubject: true,
  },
);
