import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../testing/fake-clock.js';
import { encodePart, signRaw } from '../../testing/raw-token.fixture.js';
import { InvalidTokenError } from '../errors.js';
import { type UnverifiedHeader } from '../jwt/compact-jws.js';
import { JwtVerifier } from './jwt.verifier.js';
import { KeySet } from '../jwt/signature.js';
import { LEGACY_ISSUER } from '../jwt/service-account-claims.js';
import { type VerificationKey, verificationKeyOf } from '../jwt/verification-key.js';

const ISSUER = 'https://issuer.example';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const rsaKey = verificationKeyOf(rsa.publicKey);
const ecKey = verificationKeyOf(ec.publicKey);

let clock: FakeClock;
let asked: UnverifiedHeader[];
beforeEach(() => {
  clock = new FakeClock();
  asked = [];
});

function verification(
  keys: readonly VerificationKey[] = [rsaKey, ecKey],
  acceptLegacyTokens = false,
  issuers = [ISSUER],
) {
  const trust = {
    issuers: () => issuers,
    trusts: () => true,
    find: (header: UnverifiedHeader) => {
      asked.push(header);
      return new KeySet(keys).candidates(header);
    },
  };
  const kind = 'test';
  return new JwtVerifier(trust, { kind, clock, clockToleranceMs: 30_000, acceptLegacyTokens });
}

function claims(changes: object = {}): object {
  const now = clock.wallMs() / 1000;
  return {
    iss: ISSUER,
    sub: 'system:serviceaccount:shop:checkout',
    aud: ['orders'],
    exp: now + 600,
    iat: now,
    nbf: now,
    jti: 'id-1',
    'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'checkout', uid: 'u-1' } },
    ...changes,
  };
}

function token(changes: object = {}, header: object = {}, key: KeyObject = rsa.privateKey): string {
  return signRaw(key, { alg: 'RS256', kid: rsaKey.keyId, ...header }, claims(changes));
}

async function reasonOf(
  text: string,
  subject: JwtVerifier = verification(),
  audiences = ['orders'],
): Promise<string> {
  try {
    await subject.verify(text, audiences);
  } catch (error) {
    if (error instanceof InvalidTokenError) return error.reason;
    throw error;
  }
  return 'accepted';
}

describe('JwtVerifier', () => {
  it('returns the principal of a token, and until when the verdict may be used', async () => {
    const { principal, validUntilMs } = await verification().verify(token(), ['orders', 'billing']);
    expect(JSON.parse(JSON.stringify(principal))).toEqual({
      username: 'system:serviceaccount:shop:checkout',
      namespace: 'shop',
      serviceAccount: 'checkout',
      serviceAccountUid: 'u-1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
      audiences: ['orders'],
      issuer: ISSUER,
      credentialId: 'JTI=id-1',
      issuedAt: '2030-01-01T00:00:00.000Z',
      expiresAt: '2030-01-01T00:10:00.000Z',
      verifiedBy: 'test',
    });
    expect(validUntilMs).toBe(clock.wallMs() + 600_000);
  });

  it.each([
    ['P-256', 'ES256'],
    ['P-384', 'ES384'],
    ['P-521', 'ES512'],
  ])('verifies signatures on %s', async (namedCurve, alg) => {
    const pair = generateKeyPairSync('ec', { namedCurve });
    const key = verificationKeyOf(pair.publicKey);
    const text = token({}, { alg, kid: key.keyId }, pair.privateKey);
    expect(await reasonOf(text, verification([rsaKey, key]))).toBe('accepted');
    expect(await reasonOf(text.slice(0, -8) + 'AAAAAAAA', verification([rsaKey, key]))).toBe('SIGNATURE');
  });

  it('tries all keys for a token without kid, and all keys of a kid that is not unique', async () => {
    const withoutKid = token({}, { kid: undefined });
    const first = verificationKeyOf(stranger.publicKey);
    expect(await reasonOf(withoutKid, verification([first, ecKey, rsaKey]))).toBe('accepted');
    const twins = [first, ecKey, rsaKey].map((key) => ({ ...key, keyId: 'same' }));
    expect(await reasonOf(token({}, { kid: 'same' }), verification(twins))).toBe('accepted');
  });

  it.each<[string, () => string]>([
    ['the key of a stranger', () => token({}, {}, stranger.privateKey)],
    ['the key of a stranger and no kid', () => token({}, { kid: undefined }, stranger.privateKey)],
    ['a kid nobody knows', () => token({}, { kid: 'unknown' })],
    ['an empty kid', () => token({}, { kid: '' })],
    ["another key's kid", () => token({}, { kid: ecKey.keyId })],
    ['ES256 for an RSA key', () => token({}, { alg: 'ES256' })],
    ['ES256 for an RSA key and no kid', () => token({}, { alg: 'ES256', kid: undefined })],
    ['RS256 for an EC key', () => token({}, { kid: ecKey.keyId }, ec.privateKey)],
    ['PS256', () => token({}, { alg: 'PS256' })],
    ['RS512', () => token({}, { alg: 'RS512' })],
    ['a lower-case alg', () => token({}, { alg: 'rs256' })],
    ['none', () => token({}, { alg: 'none' })],
    ['its own key in the header', () => token({}, { jwk: jwkOf(stranger) }, stranger.privateKey)],
    ['a claim that was changed', () => changedPayload(token(), claims({ sub: 'system:admin' }))],
    ['a MAC under the public key', () => macToken()],
  ])('refuses %s as SIGNATURE', async (_, make) => {
    expect(await reasonOf(make())).toBe('SIGNATURE');
  });

  it("compares the key's own algorithm before it checks any signature", () => {
    const verify = (header: object) => () => verification().verify(token({}, header), ['orders']);
    expect(verify({ alg: 'ES256' })).toThrow('expected the algorithm of the key');
    expect(verify({ kid: 'x' })).toThrow('expected a known key');
  });

  it('requests no keys for an algorithm that no key has, or for a token that is refused without a key', async () => {
    await reasonOf(token({}, { alg: 'none', kid: 'x' }));
    await reasonOf(macToken());
    await reasonOf(token({ iss: 'https://other' }, { kid: 'x' }));
    await reasonOf(token({ exp: 1 }, { kid: 'x' }));
    await reasonOf('no.token');
    expect(asked).toEqual([]);
    await reasonOf(token({}, { kid: 'x' }));
    expect(asked).toEqual([{ alg: 'RS256', kid: 'x' }]);
  });

  it.each([
    [{ iss: `${ISSUER}/` }, 'ISSUER'],
    [{ iss: LEGACY_ISSUER }, 'ISSUER'],
    [{ exp: 1 }, 'EXPIRED'],
    [{ exp: undefined }, 'MALFORMED'],
    [{ nbf: 4e9 }, 'NOT_YET_VALID'],
    [{ aud: 'billing' }, 'AUDIENCE'],
    [{ aud: undefined }, 'AUDIENCE'],
    [{ sub: 'system:serviceaccount:shop:admin' }, 'REJECTED'],
    [{ sub: 'admin' }, 'REJECTED'],
  ])('refuses %j as %s', async (changes, reason) => {
    expect(await reasonOf(token(changes))).toBe(reason);
  });

  it('refuses a forged token as SIGNATURE even if its claims are wrong too', async () => {
    expect(await reasonOf(token({ aud: 'x', sub: 'x' }, {}, stranger.privateKey))).toBe('SIGNATURE');
  });

  it('refuses an exp in scientific notation that is out of bounds', async () => {
    for (const exp of ['1e400', '1e308', '1893456600000']) {
      const payload = JSON.stringify(claims({ exp: 0 })).replace('"exp":0', `"exp":${exp}`);
      expect(await reasonOf(signRaw(rsa.privateKey, { alg: 'RS256' }, payload))).toBe('MALFORMED');
    }
  });

  it('checks the times again after a slow key fetch', async () => {
    const trust = {
      issuers: () => [ISSUER],
      trusts: () => true,
      find: async () => {
        await clock.advance(700_000);
        return [rsaKey];
      },
    };
    const options = { kind: 'test', clock, clockToleranceMs: 0, acceptLegacyTokens: true };
    for (const changes of [{}, { ...LEGACY, exp: clock.wallMs() / 1000 + 600 }])
      expect(await reasonOf(token(changes), new JwtVerifier(trust, options))).toBe('EXPIRED');
  });
});

const LEGACY = {
  iss: LEGACY_ISSUER,
  aud: undefined,
  exp: undefined,
  'kubernetes.io': undefined,
  'kubernetes.io/serviceaccount/namespace': 'shop',
  'kubernetes.io/serviceaccount/service-account.name': 'checkout',
  'kubernetes.io/serviceaccount/service-account.uid': 'u-1',
};

describe('JwtVerifier with acceptLegacyTokens', () => {
  const subject = () => verification([rsaKey], true);

  it('accepts a legacy token for any audience, with a short-lived verdict', async () => {
    const { principal, validUntilMs } = await subject().verify(token(LEGACY), ['orders']);
    expect(principal).toMatchObject({
      username: 'system:serviceaccount:shop:checkout',
      audiences: [],
      issuer: LEGACY_ISSUER,
    });
    expect(principal.expiresAt).toBeUndefined();
    expect(validUntilMs).toBe(clock.wallMs() + 10_000);
  });

  it('checks the exp of a legacy token that has one', async () => {
    const exp = clock.wallMs() / 1000 + 4;
    const { validUntilMs } = await subject().verify(token({ ...LEGACY, exp }), ['orders']);
    expect(validUntilMs).toBe(exp * 1000);
    expect(await reasonOf(token({ ...LEGACY, exp: 1 }), subject())).toBe('EXPIRED');
  });

  it.each([
    [{ iss: ISSUER }, 'MALFORMED'],
    [{ iss: 'kubernetes/serviceaccounts' }, 'ISSUER'],
    [{ aud: ['orders'] }, 'REJECTED'],
    [{ 'kubernetes.io': {} }, 'ISSUER'],
    [{ sub: 'system:serviceaccount:shop:admin' }, 'REJECTED'],
  ])('refuses a legacy token with %j as %s', async (changes, reason) => {
    expect(await reasonOf(token({ ...LEGACY, ...changes }), subject())).toBe(reason);
  });

  const FLAT = {
    'kubernetes.io/serviceaccount/namespace': 'kube-system',
    'kubernetes.io/serviceaccount/service-account.name': 'root',
    'kubernetes.io/serviceaccount/service-account.uid': 'u-0',
  };

  it.each([{}, { nbf: undefined, jti: undefined }, { aud: ['x', 'orders'] }, FLAT])(
    'accepts bound tokens of an issuer called kubernetes/serviceaccount as without the option: %j',
    async (changes) => {
      const bound = token({ iss: LEGACY_ISSUER, ...changes });
      for (const acceptLegacyTokens of [false, true]) {
        const configured = verification([rsaKey], acceptLegacyTokens, [LEGACY_ISSUER]);
        const { principal } = await configured.verify(bound, ['orders']);
        expect(principal).toMatchObject({ serviceAccount: 'checkout', audiences: ['orders'] });
        expect(principal.expiresAt).toBeDefined();
      }
    },
  );

  it('accepts bound and legacy tokens of an issuer called kubernetes/serviceaccount, each by its own rules', async () => {
    const configured = verification([rsaKey], true, [LEGACY_ISSUER]);
    expect(await reasonOf(token(LEGACY), configured)).toBe('accepted');
    expect(await reasonOf(token({ iss: LEGACY_ISSUER, aud: undefined }), configured)).toBe('AUDIENCE');
    expect(await reasonOf(token({ ...LEGACY, aud: 'orders' }), configured)).toBe('REJECTED');
  });

  it('still requires a signature, and an audience for all tokens that are not legacy tokens', async () => {
    expect(await reasonOf(token(LEGACY, {}, stranger.privateKey), subject())).toBe('SIGNATURE');
    expect(await reasonOf(token({ aud: undefined }), subject())).toBe('AUDIENCE');
  });
});

function jwkOf(pair: { publicKey: KeyObject }): object {
  return pair.publicKey.export({ format: 'jwk' });
}

function changedPayload(text: string, payload: object): string {
  const [header, , signature] = text.split('.');
  return `${header}.${encodePart(payload)}.${signature}`;
}

function macToken(): string {
  const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const input = `${encodePart({ alg: 'HS256', kid: rsaKey.keyId })}.${encodePart(claims())}`;
  return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`;
}
