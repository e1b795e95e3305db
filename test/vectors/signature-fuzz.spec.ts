import { generateKeyPairSync, type KeyObject, randomBytes, randomInt } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { compactVerify } from 'jose';
import { InvalidTokenError } from '../../libs/k8s-auth/src/errors.js';
import { parseCompactJws, type UnverifiedJws } from '../../libs/k8s-auth/src/jwt/compact-jws.js';
import { verifySignature } from '../../libs/k8s-auth/src/jwt/signature.js';
import { verificationKeyOf } from '../../libs/k8s-auth/src/jwt/verification-key.js';
import { signRaw } from '../../libs/k8s-auth/testing/raw-token.fixture.js';

// `FUZZ_MUTATIONS=1000000 npm test -- --testPathPatterns signature-fuzz` repeats the run that docs/adr/0015 records.
const MUTATIONS = Number(process.env.FUZZ_MUTATIONS ?? 2_000);

const SIGNERS = (['RS256', 'ES256', 'ES384', 'ES512'] as const).map((alg) => {
  const curve = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };
  const { publicKey, privateKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: curve[alg] });
  return { alg, publicKey, privateKey, key: verificationKeyOf(publicKey) };
});

type Mutation = (bytes: Buffer) => Buffer;

const at = (bytes: Buffer): number => randomInt(Math.max(1, bytes.length));

/** Changes of the bytes of one part. */
const MUTATIONS_OF_BYTES: Record<string, Mutation> = {
  same: (bytes) => bytes,
  flipBit: (bytes) => {
    const copy = Buffer.from(bytes);
    const index = at(copy);
    copy[index] = (copy[index] ?? 0) ^ (1 << randomInt(8));
    return copy;
  },
  setByte: (bytes) => {
    const copy = Buffer.from(bytes);
    copy[at(copy)] = [0, 1, 0x7f, 0x80, 0xff][randomInt(5)] ?? 0;
    return copy;
  },
  cutEnd: (bytes) => bytes.subarray(0, at(bytes)),
  cutStart: (bytes) => bytes.subarray(at(bytes)),
  zeroBefore: (bytes) => Buffer.concat([Buffer.alloc(1 + randomInt(3)), bytes]),
  zeroAfter: (bytes) => Buffer.concat([bytes, Buffer.alloc(1 + randomInt(3))]),
  randomAfter: (bytes) => Buffer.concat([bytes, randomBytes(1 + randomInt(8))]),
  swapHalves: (bytes) =>
    Buffer.concat([bytes.subarray(bytes.length / 2), bytes.subarray(0, bytes.length / 2)]),
  zeroHalf: (bytes) => Buffer.concat([Buffer.alloc(bytes.length / 2), bytes.subarray(bytes.length / 2)]),
  allZero: (bytes) => Buffer.alloc(bytes.length),
  allOnes: (bytes) => Buffer.alloc(bytes.length, 0xff),
  random: (bytes) => randomBytes(bytes.length),
  asDer: (bytes) => {
    const half = bytes.length / 2;
    const integer = (part: Buffer) => Buffer.concat([Buffer.from([2, part.length]), part]);
    const body = Buffer.concat([integer(bytes.subarray(0, half)), integer(bytes.subarray(half))]);
    return Buffer.concat([Buffer.from([0x30, body.length & 0xff]), body]);
  },
};

const NAMES = Object.keys(MUTATIONS_OF_BYTES);
const pick = <Value>(values: readonly Value[]): Value => values[randomInt(values.length)] as Value;

function mutate(token: string): string {
  const parts = token.split('.');
  const index = pick([0, 1, 2, 2, 2, 2]);
  const mutation = MUTATIONS_OF_BYTES[pick(NAMES)] as Mutation;
  parts[index] = mutation(Buffer.from(parts[index] ?? '', 'base64url')).toString('base64url');
  // Most changes of the payload are no JSON. This one is, and the signature is not of it.
  if (randomInt(8) === 0) parts[1] = Buffer.from(`{"n":${randomInt(1e9)}}`).toString('base64url');
  return parts.join('.');
}

async function isAccepted(jws: UnverifiedJws, key: (typeof SIGNERS)[number]['key']): Promise<boolean> {
  try {
    await verifySignature(jws, [key]);
    return true;
  } catch (error) {
    if (error instanceof InvalidTokenError) return false;
    throw error;
  }
}

async function isAcceptedByJose(token: string, key: KeyObject, alg: string): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: [alg] });
    return true;
  } catch {
    return false;
  }
}

describe('signatures compared with jose', () => {
  it.each(SIGNERS)(
    'of $alg have the same result, whatever is changed',
    async ({ alg, publicKey, privateKey, key }) => {
      const tokens = Array.from({ length: 20 }, (_, n) => signRaw(privateKey, { alg, kid: 'a' }, { n }));
      const differences: string[] = [];
      let accepted = 0;
      let compared = 0;
      for (let n = 0; n < MUTATIONS / SIGNERS.length; n++) {
        const token = mutate(pick(tokens));
        let jws: UnverifiedJws;
        try {
          jws = parseCompactJws(token);
        } catch {
          continue;
        }
        compared++;
        const expected = await isAcceptedByJose(token, publicKey, alg);
        if (expected) accepted++;
        if ((await isAccepted(jws, key)) !== expected) differences.push(token);
      }
      expect(differences).toEqual([]);
      // Both answers must have been compared.
      expect(accepted).toBeGreaterThan(0);
      expect(compared - accepted).toBeGreaterThan(MUTATIONS / SIGNERS.length / 3);
      const counts = `${alg}: ${compared} compared, ${accepted} of them accepted by both\n`;
      if (process.env.FUZZ_MUTATIONS !== undefined) process.stdout.write(counts);
    },
    3_600_000,
  );
});
