import { describe, expect, it } from '@jest/globals';
import { InvalidTokenError } from '../../errors.js';
import { readReview } from './review.js';

const TOKEN = { issuer: 'https://issuer.example', issuedAtMs: 1_000, expiresAtMs: 2_000 };
const POD = 'authentication.kubernetes.io/';

function user(more: object = {}): object {
  return {
    username: 'system:serviceaccount:shop:checkout',
    uid: 'uid-1',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
    extra: {
      [`${POD}pod-name`]: ['checkout-1'],
      [`${POD}pod-uid`]: ['pod-uid-1'],
      [`${POD}node-name`]: ['node-1'],
      [`${POD}node-uid`]: ['node-uid-1'],
      [`${POD}credential-id`]: ['JTI=1'],
    },
    ...more,
  };
}

function review(more: object = {}, asked: readonly string[] = ['orders', 'stock'], token: object = TOKEN) {
  const status = { authenticated: true, audiences: ['orders'], user: user(), ...more };
  return readReview(status, asked, token, 'tokenreview');
}

function reasonFor(more: object, token?: object): string {
  try {
    review(more, undefined, token);
    return 'accepted';
  } catch (error) {
    return error instanceof InvalidTokenError ? error.reason : 'another error';
  }
}

describe('an accepted review', () => {
  it('is mapped to a principal with all its fields', () => {
    expect(review()).toStrictEqual({
      namespace: 'shop',
      serviceAccount: 'checkout',
      serviceAccountUid: 'uid-1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
      pod: { name: 'checkout-1', uid: 'pod-uid-1' },
      node: { name: 'node-1', uid: 'node-uid-1' },
      audiences: ['orders'],
      issuer: 'https://issuer.example',
      verifiedBy: 'tokenreview',
      credentialId: 'JTI=1',
      issuedAtMs: 1_000,
      expiresAtMs: 2_000,
    });
  });

  it('is mapped to a principal without fields that it lacks', () => {
    const facts = review({ user: user({ extra: undefined, groups: undefined }) }, ['orders'], {
      issuer: 'i',
    });
    expect(facts).toStrictEqual({
      namespace: 'shop',
      serviceAccount: 'checkout',
      serviceAccountUid: 'uid-1',
      groups: [],
      audiences: ['orders'],
      issuer: 'i',
      verifiedBy: 'tokenreview',
    });
  });

  it('matches audiences in the order asked', () => {
    expect(review({ audiences: ['stock', 'x', 'orders'] }).audiences).toStrictEqual(['orders', 'stock']);
  });

  it.each([
    ['a name without a UID', { [`${POD}pod-name`]: ['checkout-1'] }],
    ['a UID without a name', { [`${POD}pod-uid`]: ['pod-uid-1'] }],
    ['two names', { [`${POD}pod-name`]: ['a', 'b'], [`${POD}pod-uid`]: ['pod-uid-1'] }],
    ['no name in the list', { [`${POD}pod-name`]: [], [`${POD}pod-uid`]: ['pod-uid-1'] }],
    ['an empty name', { [`${POD}pod-name`]: [''], [`${POD}pod-uid`]: ['pod-uid-1'] }],
    ['a name that is no list', { [`${POD}pod-name`]: 'checkout-1', [`${POD}pod-uid`]: ['pod-uid-1'] }],
    ['a name that is a number', { [`${POD}pod-name`]: [1], [`${POD}pod-uid`]: ['pod-uid-1'] }],
    ['inherited names', JSON.parse(`{"__proto__":{"${POD}pod-name":["a"],"${POD}pod-uid":["b"]}}`) as object],
  ])('gives no pod for %s', (_what, extra) => {
    expect(review({ user: user({ extra }) })).not.toHaveProperty('pod');
  });

  it('names a node without a UID', () => {
    const extra = { [`${POD}node-name`]: ['node-1'] };
    expect(review({ user: user({ extra }) }).node).toStrictEqual({ name: 'node-1' });
  });
});

describe('a review that is refused as REJECTED', () => {
  it.each([undefined, false, null, 'true', 1, {}])('has "authenticated": %j', (authenticated) =>
    expect(reasonFor({ authenticated })).toBe('REJECTED'),
  );

  it.each(['odd', {}, 0, false])('has "authenticated": true and "error": %j', (error) =>
    expect(reasonFor({ error })).toBe('REJECTED'),
  );

  it.each(['', null, undefined])('is not one with "error": %j', (error) =>
    expect(reasonFor({ error })).toBe('accepted'),
  );

  it.each([undefined, null, 'system:serviceaccount:shop:checkout', [], {}])('has "user": %j', (other) =>
    expect(reasonFor({ user: other })).toBe('REJECTED'),
  );

  it.each([
    undefined,
    7,
    '',
    'kubernetes-admin',
    'system:node:node-1',
    'system:serviceaccount:shop',
    'system:serviceaccount:shop:',
    'system:serviceaccount::checkout',
    'system:serviceaccount:shop:checkout:more',
    'System:serviceaccount:shop:checkout',
    'system:serviceaccount:shop:Checkout',
    'system:serviceaccount:sh.op:checkout',
    ' system:serviceaccount:shop:checkout',
    ['system:serviceaccount:shop:checkout'],
  ])('"username" is %j', (username) => expect(reasonFor({ user: user({ username }) })).toBe('REJECTED'));

  it.each([undefined, null, '', 7, ['uid-1']])('has "uid": %j', (uid) =>
    expect(reasonFor({ user: user({ uid }) })).toBe('REJECTED'),
  );

  it.each(['system:masters', { 0: 'a' }, ['a', 7]])('has "groups": %j', (groups) =>
    expect(reasonFor({ user: user({ groups }) })).toBe('REJECTED'),
  );

  it('is about a token that names no issuer', () => expect(reasonFor({}, {})).toBe('REJECTED'));
});

describe('a review that is refused as AUDIENCE', () => {
  it.each([
    undefined,
    null,
    [],
    'orders',
    ['other'],
    ['orders-and-more'],
    ['order'],
    ['ORDERS'],
    ['orders '],
    [['orders']],
    { 0: 'orders', length: 1 },
  ])('"audiences" is %j', (audiences) => expect(reasonFor({ audiences })).toBe('AUDIENCE'));
});

it("copies the API server's error to the log word for word, but no token", () => {
  const error = '[invalid bearer token, eyJhbGciOiJub25lIn0.e30.c2ln\nis not good]';
  expect(() => review({ authenticated: undefined, error })).toThrow(
    '"status.authenticated": expected true, API server says: [invalid bearer token, [token] is not good]',
  );
});
