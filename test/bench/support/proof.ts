import { randomBytes } from 'node:crypto';
import { bearer, type Cluster } from './cluster.js';
import { type Server } from './server.js';

/**
 * Shows that a server authenticates before it is measured: it accepts a good token twice, and refuses a bad signature,
 * an expired token, another audience, and another payload under a signature that it has just accepted.
 * @throws {Error} names the server and the case
 */
export async function proveAuthentication({ name, url }: Server, cluster: Cluster): Promise<void> {
  const [good = ''] = await cluster.mint(1);
  const [other = ''] = await cluster.mint(1);
  const [expired = ''] = await cluster.mint(1, { lifetimeSeconds: -3600 });
  const [foreign = ''] = await cluster.mint(1, { audience: 'payments' });
  const cases: readonly (readonly [string, number, string | undefined])[] = [
    ['a good token', 200, good],
    ['a good token again', 200, good],
    ['no token', 401, undefined],
    ['a bad signature', 401, withBadSignature(other)],
    ['an expired token', 401, expired],
    ['a token for another audience', 401, foreign],
    ['another payload under an accepted signature', 401, withSignatureOf(other, good)],
    ['the good token after these', 200, good],
  ];
  for (const [description, expected, token] of cases) {
    const headers = token === undefined ? undefined : { authorization: bearer(token) };
    const { status } = await fetch(url, { headers });
    if (status !== expected) throw new Error(`${name}: ${description}: expected ${expected}, got ${status}`);
  }
}

/** The same token under a signature that is wrong in the middle. Each call returns a new one. */
export function withBadSignature(token: string): string {
  const random = randomBytes(24).toString('base64url');
  const start = token.length - 100;
  return token.slice(0, start) + random + token.slice(start + random.length);
}

function withSignatureOf(token: string, signed: string): string {
  return token.slice(0, token.lastIndexOf('.')) + signed.slice(signed.lastIndexOf('.'));
}
