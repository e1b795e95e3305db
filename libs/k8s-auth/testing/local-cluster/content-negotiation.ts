import { type Answer } from './answer.js';
import { ApiError } from './api-error.js';
import { type ApiRequest } from './endpoint.js';

/**
 * Answers 406 unless the client accepts exactly this type or any type: the library behind these endpoints (go-restful)
 * does not treat `application/json` or `application/*` as a match.
 */
export function producing(mediaType: string, answer: () => Answer): (request: ApiRequest) => Answer {
  return ({ headers: { accept = '*/*' } }) => {
    const accepted = accept.split(',').map((entry) => entry.split(';')[0]?.trim());
    return accepted.includes('*/*') || accepted.includes(mediaType)
      ? answer()
      : new ApiError(
          406,
          'NotAcceptable',
          `406: Not Acceptable\n\nAvailable representations: ${mediaType}`,
          {},
        ).toAnswer();
  };
}
