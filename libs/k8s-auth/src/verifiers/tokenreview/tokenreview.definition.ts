import { apiServerVariables } from '../../api-server/api-server.options.js';
import { openReviewer } from '../reviews/reviewer.js';
import { VerdictCache } from '../verdict-cache.js';
import { type VerifierDefinition } from '../verifier-definition.js';
import { SignatureFilter } from './signature-filter.js';
import {
  tokenReviewDefaults,
  type TokenReviewOptions,
  tokenReviewOptionsSchema,
} from './tokenreview.options.js';
import { TokenReviewVerifier } from './tokenreview.verifier.js';

/** Has the API server review each token, behind a cache of its verdicts. @internal */
export const tokenreviewDefinition: VerifierDefinition<TokenReviewOptions> = {
  kind: 'tokenreview',
  schema: tokenReviewOptionsSchema,
  variables: [
    ...apiServerVariables,
    { option: 'checkSignatures', variable: 'K8S_AUTH_CHECK_SIGNATURES', type: 'boolean' },
  ],
  async create({ kind, apiServer, ...given }, context) {
    const { clock } = context;
    const { successLifetimeMs, rejectionLifetimeMs, timeoutMs, checkSignatures } = {
      ...tokenReviewDefaults,
      ...given,
    };
    const reviewer = await openReviewer({ kind, apiServer, timeoutMs }, context);
    const filter = checkSignatures ? new SignatureFilter(reviewer.client, context) : undefined;
    const uncached = new TokenReviewVerifier({ reviewer, filter, clock, successLifetimeMs });
    const cache = new VerdictCache(uncached.verify, { clock, successLifetimeMs, rejectionLifetimeMs });
    return {
      verify: cache.verify,
      start: () => {
        reviewer.start();
        filter?.start();
      },
      readiness: () => ({ ...reviewer.readiness.current(), ...(filter && { note: filter.describe() }) }),
      apiServerAudiences: () => reviewer.client.ownAudiences(),
      close: async () => {
        filter?.stop();
        cache.clear();
        await reviewer.close();
      },
    };
  },
};
