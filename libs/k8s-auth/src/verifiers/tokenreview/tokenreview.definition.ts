import { ApiServerClient } from '../../api-server/api-server.client.js';
import { requireApiServer } from '../../api-server/api-server.connection.js';
import { apiServerVariables } from '../../api-server/api-server.options.js';
import { TokenReviewClient } from '../../api-server/token-review.client.js';
import { VerdictCache } from '../verdict-cache.js';
import { type VerifierDefinition } from '../verifier-definition.js';
import {
  tokenReviewDefaults,
  type TokenReviewOptions,
  tokenReviewOptionsSchema,
} from './tokenreview.options.js';
import { TokenReviewVerifier } from './tokenreview.verifier.js';

/** Finds the API server, and makes the verifier that asks it, behind a cache of its verdicts. @internal */
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
    const verifier = new TokenReviewVerifier({
      client,
      reviews: new TokenReviewClient(client, { clock, log, timeoutMs }),
      clock,
      log,
      successLifetimeMs,
    });
    return new VerdictCache(verifier, { clock, successLifetimeMs, rejectionLifetimeMs });
  },
};
