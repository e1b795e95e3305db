import { jsonAnswer } from '../answer.js';
import { type ClusterParts, type Endpoint } from '../endpoint.js';
import { producing } from '../content-negotiation.js';

/** Issuer metadata (KEP-1393): `jwks_uri` names the API server itself, whatever the issuer is called. */
export function discoveryEndpoint({ issuer, keys, url }: ClusterParts): Endpoint {
  return {
    name: 'discovery',
    method: 'GET',
    path: /^\/\.well-known\/openid-configuration\/?$/,
    access: 'read discovery',
    answer: producing('application/json', () =>
      jsonAnswer(
        200,
        {
          issuer,
          jwks_uri: `${url()}/openid/v1/jwks`,
          response_types_supported: ['id_token'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: [...new Set(keys.all.map(({ alg }) => alg))].sort(),
        },
        { 'cache-control': 'public, max-age=3600' },
      ),
    ),
  };
}
