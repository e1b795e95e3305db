import { type KeyObject, sign } from 'node:crypto';

const DIGEST_OF_CURVE: Record<string, string> = {
  prime256v1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
};

/** base64url of an object as JSON, or of unchanged text or bytes. */
export function encodePart(part: unknown): string {
  const bytes = typeof part === 'string' || Buffer.isBuffer(part) ? part : JSON.stringify(part);
  return Buffer.from(bytes).toString('base64url');
}

/** A compact JWS with any header and payload, and a valid signature. */
export function signRaw(key: KeyObject, header: unknown, payload: unknown): string {
  const input = `${encodePart(header)}.${encodePart(payload)}`;
  const digest = DIGEST_OF_CURVE[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? 'sha256';
  const signature = sign(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

export function withHeader(token: string, header: unknown): string {
  return token.replace(/^[^.]*/, encodePart(header));
}

export function withAlg(token: string, alg: string): string {
  const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as object;
  return withHeader(token, { ...header, alg });
}

/** A token with the payload of one token, and the header and signature of another. */
export function transplant(token: string, other: string): string {
  const [header, , signature] = token.split('.');
  return [header, other.split('.')[1], signature].join('.');
}

export function repeatAudience(honest: object): string {
  return JSON.stringify(honest).replace('{', '{"aud":["orders"],');
}

export function jwkOf(privateKey: KeyObject): object {
  const { d: _, ...publicMembers } = privateKey.export({ format: 'jwk' });
  return publicMembers;
}
