import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { InvalidTokenError } from '../../libs/k8s-auth/src/errors.js';
import { isJsonObject, parseCompactJws } from '../../libs/k8s-auth/src/jwt/compact-jws.js';
import { KeySet, verifySignature } from '../../libs/k8s-auth/src/jwt/signature.js';
import { verificationKeyOfJwk } from '../../libs/k8s-auth/src/jwt/verification-key.js';

/**
 * Third-party test vectors of C2SP/wycheproof (Apache-2.0), which are not part of the repository. Every local verifier has
 * to refuse what they call invalid, by its checks of shape, keys and signature.
 */
const FOLDER = process.env.WYCHEPROOF_DIR ?? '';
const HOW_TO_GET_THEM =
  'Wycheproof vectors are skipped: clone https://github.com/C2SP/wycheproof and set WYCHEPROOF_DIR to its folder testvectors_v1';

/** The files for RS256 and ES256. The vectors do not cover Kubernetes' other two algorithms. */
const VALID_SIGNATURES = [18, 33, 259, 260, 261, 262, 263, 345, 349, 378];

/**
 * Keys of a broken smartcard chip (ROCA, CVE-2017-15361). A cluster with such a key is insecure anyway, so we do not
 * check for it.
 */
const ROCA = { 'json_web_key_test.json': [7], 'json_web_crypto_test.json': [46] };

interface Vector {
  readonly tcId: number;
  readonly comment: string;
  /** A JWS in compact form or as JSON. */
  readonly jws?: unknown;
  readonly jwe?: unknown;
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

interface Group {
  readonly comment: string;
  readonly public?: unknown;
  readonly private: unknown;
  readonly tests: readonly Vector[];
}

function readGroups(name: string): readonly Group[] {
  return (JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as { testGroups: Group[] }).testGroups;
}

/** The keys of a group as an issuer would publish them; unusable keys are skipped, as in a fetched set. */
async function keysOf(group: Group): Promise<KeySet> {
  const published = group.public ?? group.private;
  const entries = isJsonObject(published) && Array.isArray(published.keys) ? published.keys : [published];
  const imported = await Promise.allSettled(entries.map((entry: unknown) => verificationKeyOfJwk(entry)));
  return new KeySet(imported.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : [])));
}

/** The payloads are not JSON. So the shape is checked with our own payload, and the signature with theirs. */
async function isAccepted(jws: string, keys: KeySet): Promise<boolean> {
  const [header, payload = '', signature, ...rest] = jws.split('.');
  if (Buffer.from(payload, 'base64url').toString('base64url') !== payload) return false;
  try {
    const shaped = [header, Buffer.from('{}').toString('base64url'), signature, ...rest].join('.');
    const jwsOfShape = parseCompactJws(shaped);
    const candidates = keys.candidates(jwsOfShape.unverifiedHeader);
    await verifySignature({ ...jwsOfShape, token: jws }, candidates);
    return true;
  } catch (error) {
    if (error instanceof InvalidTokenError) return false;
    throw error;
  }
}

function asText(token: unknown): string {
  return typeof token === 'string' ? token : JSON.stringify(token);
}

async function verdictsOf(name: string) {
  const groups = readGroups(name);
  const verdicts = await Promise.all(
    groups.flatMap((group) =>
      group.tests.map(async ({ tcId, result, jws, jwe }) => ({
        tcId,
        result,
        accepted: await isAccepted(asText(jws ?? jwe), await keysOf(group)),
      })),
    ),
  );
  const idsOf = (result: Vector['result'], accepted: boolean) =>
    verdicts.filter((one) => one.result === result && one.accepted === accepted).map(({ tcId }) => tcId);
  return { total: verdicts.length, idsOf };
}

const isThere = existsSync(FOLDER);

// Reported as skipped where they are missing, never as passed.
(isThere ? describe : describe.skip)(isThere ? 'Wycheproof vectors' : HOW_TO_GET_THEM, () => {
  it('of signatures: every invalid one is refused', async () => {
    const { total, idsOf } = await verdictsOf('json_web_signature_test.json');
    expect(total).toBe(401);
    expect(idsOf('invalid', true)).toEqual([]);
    // So that the suite cannot pass by refusing everything.
    expect(idsOf('valid', true)).toEqual(VALID_SIGNATURES);
  });

  it('of keys: every invalid one is refused', async () => {
    const { total, idsOf } = await verdictsOf('json_web_key_test.json');
    expect(total).toBe(26);
    expect(idsOf('invalid', true)).toEqual(ROCA['json_web_key_test.json']);
    expect(idsOf('valid', true)).toEqual([5]);
  });

  it('of mixed messages: every invalid one is refused', async () => {
    const { idsOf } = await verdictsOf('json_web_crypto_test.json');
    expect(idsOf('invalid', true)).toEqual(ROCA['json_web_crypto_test.json']);
  });

  it('of encrypted messages: every one is refused', async () => {
    const { total, idsOf } = await verdictsOf('json_web_encryption_test.json');
    expect(total).toBe(139);
    expect([...idsOf('invalid', true), ...idsOf('valid', true)]).toEqual([]);
  });
});
