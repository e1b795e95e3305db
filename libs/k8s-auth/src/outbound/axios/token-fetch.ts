import { type Fetch, fetchAndFollow, type FetchRoute, isRequest } from '../fetch/follow-redirects.js';

/** The key of the {@link FetchRoute} in `fetchOptions`, which axios passes to fetch. @internal */
export const FETCH_ROUTE = 'k8sAuthRoute';

const wrapped = new WeakMap<Fetch, Fetch>();

/**
 * Wraps an implementation of fetch for axios' fetch adapter: adds the token and follows redirects. No object that the
 * caller can reach holds the token.
 *
 * Each implementation is wrapped once, because axios keeps an adapter for every fetch function that it has seen.
 * @internal
 */
export function fetchWithToken(fetch: Fetch): Fetch {
  const known = wrapped.get(fetch);
  if (known) return known;
  const made: Fetch = (input, init = {}) => {
    const { [FETCH_ROUTE]: route, ...options } = init as RequestInit & { [FETCH_ROUTE]?: FetchRoute };
    const request = isRequest(input) ? input : { ...options, url: input.toString() };
    const { authorization, ...headers } = Object.fromEntries(new Headers(request.headers));
    // An adapter of the caller may have removed the token, or set other credentials.
    if (!route || authorization !== route.sent.header) return fetch(input, options);
    // The caller sees this request as `response.request`. The request that is sent is not visible to other code.
    if (isRequest(request)) request.headers.delete('authorization');
    route.sent.isWithheld = true;
    return fetchAndFollow(fetch, request, headers, options, route);
  };
  wrapped.set(fetch, made);
  return made;
}
