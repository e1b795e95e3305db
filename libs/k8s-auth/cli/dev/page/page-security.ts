import { type IncomingMessage } from 'node:http';

/**
 * Sent with every answer. The page loads only its own files, nothing can run that is not one of them, no other page can
 * frame it or read it, and there is no CORS header.
 */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store',
};

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost'];

/**
 * Whether the request names this server. Against DNS rebinding: a page of another host whose name suddenly resolves to
 * loopback sends that name.
 */
export function isOwnHost({ headers: { host } }: IncomingMessage, port: number): boolean {
  return LOOPBACK_NAMES.some((name) => host === `${name}:${port}`);
}

/**
 * Whether a page of this server sends the request. Every browser sends `Origin` with a POST, and current ones send
 * `Sec-Fetch-Site` with every request. A request with neither of them is refused too.
 */
export function isFromOwnPage({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers;
  const site = headers['sec-fetch-site'];
  if (origin !== undefined && origin !== `http://${host}`) return false;
  if (site !== undefined && site !== 'same-origin') return false;
  return origin !== undefined || site !== undefined;
}
