import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { partOf } from './support/expectations.fixture.js';
import { Sandbox } from './support/sandbox.fixture.js';
import { SIGNING_TARGETS } from './support/targets.fixture.js';

type Claims = Record<string, unknown> & { iat: number; 'kubernetes.io': Record<string, unknown> };
type Change = (honest: Claims, pod: { uid: string }) => object;

const NOT_TEXT = (found: string) => `json: cannot unmarshal ${found} into Go value of type string`;
const NOT_AUDIENCE = 'go-jose/go-jose/jwt: expected string or array value to unmarshal to Audience';
const NOT_TIME = 'go-jose/go-jose/jwt: expected number value to unmarshal NumericDate';
const EXPIRED = 'service account token has expired';
const GONE = 'service account token has been invalidated';

const kubernetes =
  (changes: object): Change =>
  (honest) => ({ 'kubernetes.io': { ...honest['kubernetes.io'], ...changes } });
const onPod =
  (changes: object): Change =>
  (honest, { uid }) =>
    kubernetes({ pod: { name: 'checkout-1', uid }, ...changes })(honest, { uid });

// Go converts a time that is too large for an int64 to the smallest int64; on processors other than amd64, to the
// largest.
const isAmd64 = process.arch === 'x64';
const TOO_LARGE = [1e300, 2 ** 63];

const ACCEPTED: readonly (readonly [string, Change])[] = [
  ['"exp" 30 s ago: the leeway is a minute', ({ iat }) => ({ exp: iat - 30 })],
  ['"nbf" and "iat" 30 s ahead', ({ iat }) => ({ nbf: iat + 30, iat: iat + 30 })],
  ['no "exp", "nbf", "iat"', () => ({ exp: undefined, nbf: undefined, iat: undefined })],
  ['"exp" of null', () => ({ exp: null })],
  ['"exp" of 1e18, far beyond any life', () => ({ exp: 1e18 })],
  ...(isAmd64 ? [['"nbf" and "iat" of 1e300', () => ({ nbf: 1e300, iat: 1e300 })] as const] : []),
  ['another "sub"', () => ({ sub: 'system:serviceaccount:kube-system:admin' })],
  ['no "sub"', () => ({ sub: undefined })],
  ['"aud" that is one text', () => ({ aud: 'orders' })],
  ['a "jti" that is no UUID', () => ({ jti: 'any' })],
  ['"pod" of null', kubernetes({ pod: null })],
  ['a pod on a node that does not exist', onPod({ node: { name: 'gone', uid: 'x' } })],
  ['a pod on a node without a name', onPod({ node: { uid: 'x' } })],
  ['"warnafter" in the past', kubernetes({ warnafter: 1 })],
  ['unknown claims', () => ({ azp: 7, roles: ['admin'] })],
];

const REFUSED: readonly (readonly [string, string, Change])[] = [
  ['"exp" 90 s ago', EXPIRED, ({ iat }) => ({ exp: iat - 90 })],
  ['"exp" of 0', EXPIRED, () => ({ exp: 0 })],
  ...(isAmd64 ? TOO_LARGE.map((exp) => [`"exp" of ${exp}`, EXPIRED, () => ({ exp })] as const) : []),
  ['"nbf" 90 s ahead', 'service account token is not valid yet', ({ iat }) => ({ nbf: iat + 90 })],
  ['"iat" 90 s ahead', 'service account token is issued in the future', ({ iat }) => ({ iat: iat + 90 })],
  ['"exp" that is text', NOT_TIME, () => ({ exp: '9999999999' })],
  ['"warnafter" that is text', NOT_TIME, kubernetes({ warnafter: 'x' })],
  ['"sub" that is a number', NOT_TEXT('number'), () => ({ sub: 7 })],
  ['"jti" that is a list', NOT_TEXT('array'), () => ({ jti: [] })],
  ['"aud" of null', NOT_AUDIENCE, () => ({ aud: null })],
  ['"aud" that is an object', NOT_AUDIENCE, () => ({ aud: {} })],
  ['"aud" with a number', NOT_AUDIENCE, () => ({ aud: ['orders', 7] })],
  ['no "kubernetes.io"', 'resource name may not be empty', () => ({ 'kubernetes.io': undefined })],
  ['no ServiceAccount', 'resource name may not be empty', kubernetes({ serviceaccount: undefined })],
  ['no namespace', 'the server could not find the requested resource', kubernetes({ namespace: undefined })],
  [
    '"kubernetes.io" that is text',
    'json: cannot unmarshal string into Go value of type serviceaccount.kubernetes',
    () => ({ 'kubernetes.io': 'x' }),
  ],
  [
    '"pod" that is text',
    'json: cannot unmarshal string into Go value of type serviceaccount.ref',
    kubernetes({ pod: 'x' }),
  ],
  ['a namespace that is a number', NOT_TEXT('number'), kubernetes({ namespace: 7 })],
  [
    'a namespace that does not exist',
    'serviceaccounts "checkout" not found',
    kubernetes({ namespace: 'none-such' }),
  ],
  ['a pod that does not exist', GONE, kubernetes({ pod: { name: 'gone', uid: 'x' } })],
  ['a Secret that does not exist', GONE, kubernetes({ secret: { name: 'gone', uid: 'x' } })],
  ['a node that does not exist, without a pod', GONE, kubernetes({ node: { name: 'none-such', uid: 'x' } })],
  ['the issuer of Secrets', 'namespace claim is missing', () => ({ iss: 'kubernetes/serviceaccount' })],
  [
    'the issuer of Secrets without "sub"',
    'sub claim is missing',
    () => ({ iss: 'kubernetes/serviceaccount', sub: undefined }),
  ],
];

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const KEY = publicKey.export({ format: 'jwk' });

const GOOD_HEADERS: readonly (readonly [string, object])[] = [
  ['without "kid"', { kid: undefined }],
  ['with an empty "kid"', { kid: '' }],
  ['with a "typ"', { typ: 'at+jwt' }],
  ['with "crit" of null', { crit: null }],
  ['with an empty "crit"', { crit: [] }],
  ['with "crit" of "b64" and no "b64"', { crit: ['b64'] }],
  ['with "crit" of "b64" and a "b64" of true', { crit: ['b64'], b64: true }],
  ['with a "b64" that is text', { b64: 'no' }],
  ['with "jwk" of null', { jwk: null }],
  ['with a "jwk" of anybody', { jwk: KEY }],
  ['with an empty "x5c"', { x5c: [] }],
];

const PRIMITIVE = '[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]';
const UNREADABLE = 'invalid bearer token';

const BAD_HEADERS: readonly (readonly [string, object, string])[] = [
  ['a "kid" that is no text', { kid: 7 }, UNREADABLE],
  ['an "alg" that is no text', { alg: 7 }, UNREADABLE],
  ['a "nonce" that is no text', { nonce: 7 }, UNREADABLE],
  ['an empty "jwk"', { jwk: {} }, UNREADABLE],
  ['a "jwk" that is text', { jwk: 'x' }, UNREADABLE],
  ['a "jwk" of a type that there is not', { jwk: { ...KEY, kty: 'XX' } }, UNREADABLE],
  ['a "jwk" whose point is on no curve', { jwk: { ...KEY, x: KEY.y, y: KEY.x } }, UNREADABLE],
  ['a "jwk" that is private', { jwk: privateKey.export({ format: 'jwk' }) }, UNREADABLE],
  ['a "jwk" that is a secret', { jwk: { kty: 'oct', k: 'AAAA' } }, UNREADABLE],
  ['an "x5c" without certificates', { x5c: ['x'] }, UNREADABLE],
  ['a critical header that nobody knows', { crit: ['x'], x: 1 }, PRIMITIVE],
  ['a critical header that nobody knows beside "b64"', { crit: ['b64', 'x'], x: 1 }, PRIMITIVE],
  ['a "b64" of false', { b64: false }, PRIMITIVE],
  ['a "b64" of false that is critical', { crit: ['b64'], b64: false }, PRIMITIVE],
  [
    '"crit" that is text',
    { crit: 'b64' },
    '[invalid bearer token, json: cannot unmarshal string into Go value of type []string]',
  ],
  ['"crit" with a number', { crit: [7] }, `[invalid bearer token, ${NOT_TEXT('number')}]`],
];

describe.each(SIGNING_TARGETS)('a token signed with its own key, by %s', (_name, openTarget) => {
  let sandbox: Sandbox;
  let reviewer: string;
  let honest: string;
  let pod: { uid: string };

  beforeAll(async () => {
    sandbox = await Sandbox.open(openTarget);
    await sandbox.createServiceAccount('checkout');
    pod = await sandbox.createPod('checkout-1', 'checkout');
    reviewer = await sandbox.createReviewer();
    honest = await sandbox.tokenOf('checkout', { audiences: ['orders'] });
  }, 60_000);

  afterAll(() => sandbox.close());

  async function judge(change: Change, header: object = {}) {
    const claims = partOf(honest, 1) as Claims;
    const token = await sandbox.target.sign?.(
      { ...partOf(honest, 0), ...header },
      { ...claims, ...change(claims, pod) },
    );
    return sandbox.verdict(reviewer, token ?? '', ['orders']);
  }

  it.each(ACCEPTED)('is accepted with %s', async (_, change) => {
    expect(await judge(change)).toMatchObject({
      authenticated: true,
      user: { username: sandbox.username('checkout') },
      audiences: ['orders'],
    });
  });

  it.each(REFUSED)('is refused with %s: %s', async (_, words, change) => {
    expect(await judge(change)).toEqual({ user: {}, error: `[invalid bearer token, ${words}]` });
  });

  it.each(GOOD_HEADERS)('is accepted %s', async (_, header) => {
    expect(await judge(() => ({}), header)).toMatchObject({ authenticated: true });
  });

  it.each(BAD_HEADERS)('is refused with %s', async (_, header, error) => {
    expect(await judge(() => ({}), header)).toEqual({ user: {}, error });
  });

  it('is accepted for the API server without "aud"', async () => {
    const token = await sandbox.target.sign?.(partOf(honest, 0), { ...partOf(honest, 1), aud: undefined });
    expect(await sandbox.verdict(reviewer, token ?? '')).toMatchObject({
      authenticated: true,
      audiences: partOf(reviewer, 1).aud,
    });
  });
});
