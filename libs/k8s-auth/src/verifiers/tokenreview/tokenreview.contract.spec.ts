import { describeTokenVerifierContract } from '../../../testing/token-verifier.contract.js';
import { tokenreviewDefinition } from './tokenreview.definition.js';

const reasons = { ISSUER: ['REJECTED'], NOT_YET_VALID: ['REJECTED'] } as const;

describeTokenVerifierContract(
  'tokenreview',
  async ({ cluster, clock, log, tokenFile }) => {
    const apiServer = { url: cluster.url, caFile: cluster.caFile, tokenFile };
    const options = { kind: 'tokenreview', apiServer } as const;
    return tokenreviewDefinition.create(options, { clock, log, environment: {} });
  },
  {
    upstreams: ['tokenreviews'],
    // Which of the two depends on whether the keys have been read yet, and whether they disprove the signature.
    reasons: { ...reasons, SIGNATURE: ['SIGNATURE', 'REJECTED'] },
    ignoresSubject: true,
  },
);

describeTokenVerifierContract(
  'tokenreview without a check of signatures',
  async ({ cluster, clock, log, tokenFile }) => {
    const apiServer = { url: cluster.url, caFile: cluster.caFile, tokenFile };
    const options = { kind: 'tokenreview', apiServer, checkSignatures: false } as const;
    return tokenreviewDefinition.create(options, { clock, log, environment: {} });
  },
  {
    kind: 'tokenreview',
    upstreams: ['tokenreviews'],
    reasons: { ...reasons, SIGNATURE: ['REJECTED'] },
    ignoresSubject: true,
  },
);
