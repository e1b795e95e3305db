import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { signRaw, withHeader } from '../../libs/k8s-auth/testing/raw-token.fixture.js';
import { partOf, reviewed, visible } from './support/expectations.fixture.js';
import { Sandbox } from './support/sandbox.fixture.js';
import { TARGETS } from './support/targets.fixture.js';

type Make = (honest: string, key: KeyObject) => string;

/** Real claims and `kid` with a signature of another key. */
function forge(honest: string, key: KeyObject, { header = {}, claims = {} }: Record<string, object>): string {
  return signRaw(key, { ...partOf(honest, 0), ...header }, { ...partOf(honest, 1), ...claims });
}

const CRYPTO = '[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]';
const NO_KEY = '[invalid bearer token, invalid signature, no keys found]';
const NOT_OURS = 'invalid bearer token';

const REFUSED: readonly (readonly [string, string, Make])[] = [
  ['rubbish', NOT_OURS, () => 'rubbish'],
  ['two parts', NOT_OURS, () => 'a.b'],
  ['parts that are not JSON', NOT_OURS, () => 'a.b.c'],
  ['four parts', NOT_OURS, (honest) => `${honest}.x`],
  ['the scheme along with the token', NOT_OURS, (honest) => `Bearer ${honest}`],
  [
    'a foreign issuer',
    NOT_OURS,
    (honest, key) => forge(honest, key, { claims: { iss: 'https://elsewhere.example' } }),
  ],
  ['no issuer', NOT_OURS, (honest, key) => forge(honest, key, { claims: { iss: undefined } })],
  ['another key', CRYPTO, (honest, key) => forge(honest, key, {})],
  ['a key that is not named', CRYPTO, (honest, key) => forge(honest, key, { header: { kid: undefined } })],
  ['an unknown "kid"', NO_KEY, (honest, key) => forge(honest, key, { header: { kid: 'unknown' } })],
  ['a changed signature', CRYPTO, (honest) => honest.replace(/.{8}$/, 'AAAAAAAA')],
  ['HS256', CRYPTO, (honest, key) => forge(honest, key, { header: { alg: 'HS256' } })],
  [
    'the issuer of Secrets',
    CRYPTO,
    (honest, key) => forge(honest, key, { claims: { iss: 'kubernetes/serviceaccount' } }),
  ],
  [
    '"none"',
    CRYPTO,
    (honest) => withHeader(honest, { ...partOf(honest, 0), alg: 'none' }).replace(/[^.]*$/, ''),
  ],
];

describe.each(TARGETS)('TokenReview of %s refuses with 201 and no "authenticated"', (_name, openTarget) => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  let sandbox: Sandbox;
  let reviewer: string;
  let honest: string;

  beforeAll(async () => {
    sandbox = await Sandbox.open(openTarget);
    await sandbox.createServiceAccount('checkout');
    reviewer = await sandbox.createReviewer();
    honest = await sandbox.tokenOf('checkout', { audiences: ['orders'] });
  }, 60_000);

  afterAll(() => sandbox.close());

  it.each(REFUSED)('%s: %s', async (_, error, make) => {
    const token = make(honest, privateKey);
    const audiences = ['orders'];
    expect(visible(await sandbox.review({ token: reviewer }, token, audiences))).toEqual(
      reviewed({ token, audiences }, { user: {}, error }),
    );
  });

  it('another audience, and names both lists', async () => {
    expect(await sandbox.verdict(reviewer, honest, ['stock', 'bills'])).toEqual({
      user: {},
      error:
        '[invalid bearer token, token audiences ["orders"] is invalid for the target audiences ["stock" "bills"]]',
    });
  });

  it('a token for another audience when no audience is requested', async () => {
    const own = (partOf(reviewer, 1).aud as string[]).map((audience) => JSON.stringify(audience)).join(' ');
    expect(await sandbox.verdict(reviewer, honest)).toEqual({
      user: {},
      error: `[invalid bearer token, token audiences ["orders"] is invalid for the target audiences [${own}]]`,
    });
  });
});
