import { jsonAnswer } from '../answer.js';
import { type ClusterParts, type Endpoint } from '../endpoint.js';
import { producing } from '../content-negotiation.js';

const JWK_SET = 'application/jwk-set+json';

/** The public keys (RFC 7517 §5), the oldest first. */
export function jwksEndpoint({ keys }: ClusterParts): Endpoint {
  return {
    name: 'jwks',
    method: 'GET',
    path: /^\/openid\/v1\/jwks\/?$/,
    access: 'read discovery',
    answer: producing(JWK_SET, () =>
      jsonAnswer(200, keys.toJwks(), { 'content-type': JWK_SET, 'cache-control': 'public, max-age=3600' }),
    ),
  };
}
