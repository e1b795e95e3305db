import { createPublicKey, type JsonWebKey, X509Certificate } from 'node:crypto';
import { assertText, isAbsent, mismatch } from './claim-types.js';
import { isJsonObject, type JsonObject } from './jws.js';

/**
 * Whether go-jose can read the header at all. go-jose parses keys and certificates in the header, although nobody uses
 * them: with an unusable one it does not accept the text as a token.
 */
export function isReadableHeader({ alg, kid, nonce, jwk, x5c }: JsonObject): boolean {
  const texts = [alg, kid, nonce];
  return (
    texts.every((value) => isAbsent(value) || typeof value === 'string') && isUsableKey(jwk) && isChain(x5c)
  );
}

/**
 * `crit` and `b64` (RFC 7515 §4.1.11, RFC 7797): the one extension that go-jose knows.
 * @returns whether a signature over the usual signing input can hold
 * @throws {Error} with the API server's message
 */
export function hasUsualSigningInput({ crit, b64 }: JsonObject): boolean {
  if (isAbsent(crit)) return b64 !== false;
  if (!Array.isArray(crit)) throw mismatch(crit, '[]string');
  crit.forEach(assertText);
  return b64 !== false && crit.every((name) => name === 'b64');
}

function isUsableKey(jwk: unknown): boolean {
  if (isAbsent(jwk)) return true;
  if (!isJsonObject(jwk) || 'd' in jwk) return false;
  return succeeds(() => createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' }));
}

function isChain(x5c: unknown): boolean {
  if (isAbsent(x5c)) return true;
  if (!Array.isArray(x5c)) return false;
  return x5c.every((text) => succeeds(() => new X509Certificate(Buffer.from(String(text), 'base64'))));
}

function succeeds(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch {
    return false;
  }
}
