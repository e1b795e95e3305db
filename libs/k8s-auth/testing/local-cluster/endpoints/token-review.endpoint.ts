import { jsonAnswer } from '../answer.js';
import { badRequest } from '../api-error.js';
import { type ClusterParts, type Endpoint } from '../endpoint.js';
import { type JsonObject } from '../jws.js';
import { objectMember, readObject, stringMember, stringsMember } from '../request-body.js';

const API_VERSION = 'authentication.k8s.io/v1';

/** authentication.k8s.io/v1 TokenReview: 201 for every verdict, `status.authenticated` absent where it is false. */
export function tokenReviewEndpoint({ authenticator, apiAudiences }: ClusterParts): Endpoint {
  const review = (token: string, asked: readonly string[]): JsonObject => {
    const verdict = authenticator.authenticate(token, asked.length > 0 ? asked : apiAudiences);
    return verdict.authenticated
      ? { authenticated: true, user: verdict.user, audiences: verdict.audiences }
      : { user: {}, error: verdict.error };
  };
  return {
    name: 'tokenreviews',
    method: 'POST',
    path: /^\/apis\/authentication\.k8s\.io\/v1\/tokenreviews$/,
    access: 'create tokenreviews',
    answer(request) {
      const { token, audiences } = readObject(request, 'TokenReview', API_VERSION, (object) => {
        const spec = objectMember(object, 'spec');
        return { token: stringMember(spec, 'token'), audiences: stringsMember(spec, 'audiences') };
      });
      if (token === '') throw badRequest('token is required for TokenReview in authentication');
      return jsonAnswer(201, {
        kind: 'TokenReview',
        apiVersion: API_VERSION,
        metadata: {},
        spec: { token, ...(audiences.length > 0 && { audiences }) },
        status: review(token, audiences),
      });
    },
  };
}
