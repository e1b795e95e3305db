import { ApiServerClient } from '../../api-server/api-server.client.js';
import { requireApiServer } from '../../api-server/api-server.connection.js';
import { apiServerVariables } from '../../api-server/api-server.options.js';
import { TokenReviewClient } from '../../api-server/token-review.client.js';
import { VerdictCache } from '../verdict-cache.js';
import { type VerifierDefinition } from '../verifier-definition.js';
import { ReviewReadiness } from './review-readiness.js';
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
  variables: apiServerVariables,
  async create({ apiServer, ...given }, context) {
    const { successLifetimeMs, rejectionLifetimeMs, timeoutMs } = { ...tokenReviewDefaults, ...given };
    const { clock, log } = context;
    const connection = await requireApiServer(apiServer, context);
    log.log({
      message: `tokens are reviewed by the API server at ${connection.url}`,
      found: connection.description,
    });
    const client = new ApiServerClient(connection, { clock, log });
    const reviews = new TokenReviewClient(client, { clock, log, timeoutMs });
    const readiness = new ReviewReadiness({ reviews, clock, log });
    const uncached = new TokenReviewVerifier({ reviews, readiness, clock, successLifetimeMs });
    const cache = new VerdictCache(uncached.verify, { clock, successLifetimeMs, rejectionLifetimeMs });
    return {
      verify: cache.verify,
      start: () => readiness.start(),
      readiness: () => readiness.readiness(),
      apiServerAudiences: () => client.ownAudiences(),
      close: async () => {
        readiness.close();
        reviews.close();
        cache.clear();
        await client.close();
      },
    };
  },
};
