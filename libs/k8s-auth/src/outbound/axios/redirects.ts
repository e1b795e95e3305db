import { type InternalAxiosRequestConfig } from 'axios';
import { parseHttpUrl } from '../origin.js';
import { type SentToken } from './sent-token.js';

type BeforeRedirect = NonNullable<InternalAxiosRequestConfig['beforeRedirect']>;

/**
 * The caller's hook, behind ours: a token that has left its origin is gone from the headers of the hop, and from those
 * of the last request, which the hook gets too. Where our agents send the request the headers hold no token anyway; they
 * do where axios makes the agent itself, to tunnel https through the caller's `proxy`.
 * @internal
 */
export function guardedRedirect(sent: SentToken, hook: BeforeRedirect | undefined): BeforeRedirect {
  return (hop, response, request) => {
    const mayGo = sent.mayGoTo(parseHttpUrl(String(hop['href']))?.origin);
    if (!mayGo) [hop['headers'], request.headers].forEach((headers) => dropToken(headers, sent));
    hook?.(hop, response, request);
    if (!mayGo) dropToken(hop['headers'], sent);
  };
}

/** Whatever the name of the header: follow-redirects keeps `Authorization` for subdomains, and hooks copy. */
function dropToken(headers: unknown, { token }: SentToken): void {
  if (typeof headers !== 'object' || headers === null) return;
  for (const [name, value] of Object.entries(headers)) {
    if (String(value).includes(token)) Reflect.deleteProperty(headers, name);
  }
}
