import { Axios, type InternalAxiosRequestConfig } from 'axios';
import { parseHttpUrl } from '../origin.js';

// Without defaults of its own: what the adapter gets is merged already, and a baseURL that an interceptor has taken
// away must not come back here.
const urlBuilder = new Axios({});

/**
 * Where a request goes, computed as the adapter will.
 * @returns `undefined` for requests that are none of our business: credentials of the caller's own (a header, even an
 *   empty one, `auth`, or a user name in the URL), or a way out that the URL does not tell (a socket, a transport)
 * @internal
 */
export function targetOf(config: InternalAxiosRequestConfig): URL | undefined {
  if (config.auth || config.socketPath || config.transport || hasAuthorization(config)) return undefined;
  const target = parseHttpUrl(fullUrlOf(config));
  return target && target.username === '' && target.password === '' ? target : undefined;
}

function fullUrlOf({ baseURL, url, allowAbsoluteUrls }: InternalAxiosRequestConfig): string {
  try {
    return urlBuilder.getUri({ baseURL, url, allowAbsoluteUrls });
  } catch {
    // The adapter comes to the same, and says so with the whole config.
    return '';
  }
}

/** Any spelling; axios leaves out `undefined`, while `false` and `null` mean that the caller wants none sent. */
function hasAuthorization({ headers }: InternalAxiosRequestConfig): boolean {
  return Object.entries(headers).some(
    ([name, value]) => name.toLowerCase() === 'authorization' && value !== undefined,
  );
}
