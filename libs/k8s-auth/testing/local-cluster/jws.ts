import { constants, createHmac, type KeyObject, sign as signBytes, verify as verifyBytes } from 'node:crypto';

export type JsonObject = Record<string, unknown>;

/** A compact JWS (RFC 7515 §7.1) taken apart; nothing about it is verified. */
export interface UnverifiedJws {
  readonly header: JsonObject;
  readonly claims: JsonObject;
  readonly signingInput: string;
  readonly signature: Buffer;
}

/** Signs any input. The header decides the algorithm, even if it contradicts the key or is `none`. */
export function signCompact(header: JsonObject, payload: string, key: KeyObject): string {
  const signingInput = `${encode(JSON.stringify(header))}.${encode(payload)}`;
  return `${signingInput}.${signatureOf(signingInput, header.alg, key).toString('base64url')}`;
}

/** @returns `undefined` unless the text has three parts with JSON objects in the first two */
export function parseCompact(token: string): UnverifiedJws | undefined {
  const [header, payload, signature, ...rest] = token.split('.');
  if (!header || !payload || signature === undefined || rest.length > 0) return undefined;
  const [decodedHeader, claims] = [decode(header), decode(payload)];
  return decodedHeader && claims
    ? {
        header: decodedHeader,
        claims,
        signingInput: `${header}.${payload}`,
        signature: Buffer.from(signature, 'base64url'),
      }
    : undefined;
}

/** Uses the algorithm of the key; a header that names another algorithm never verifies (RFC 8725 §3.1). */
export function hasSignatureOf(jws: UnverifiedJws, algorithm: string, publicKey: KeyObject): boolean {
  if (jws.header.alg !== algorithm) return false;
  const { digest, options } = parameters(algorithm);
  return verifyBytes(digest, Buffer.from(jws.signingInput), { key: publicKey, ...options }, jws.signature);
}

function signatureOf(signingInput: string, alg: unknown, key: KeyObject): Buffer {
  if (alg === 'none') return Buffer.alloc(0);
  const { digest, options } = parameters(String(alg));
  if (key.type === 'secret') return createHmac(digest, key).update(signingInput).digest();
  return signBytes(digest, Buffer.from(signingInput), { key, ...options });
}

/** RFC 7518 §3: the digest by the last three digits, PSS padding for PS, a fixed-length signature for ES. */
function parameters(alg: string) {
  const digest = `sha${/(?:256|384|512)$/.exec(alg)?.[0] ?? '256'}`;
  const padding = alg.startsWith('PS')
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
    : {};
  return { digest, options: { dsaEncoding: 'ieee-p1363' as const, ...padding } };
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function decode(part: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
