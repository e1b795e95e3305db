import { describe, expect, it } from '@jest/globals';
import { InvalidTokenError } from '../errors.js';
import { readBoundClaims, readLegacyClaims } from './service-account-claims.js';
import { type JsonObject } from './compact-jws.js';

const SUB = 'system:serviceaccount:shop:checkout';
const serviceaccount = { name: 'checkout', uid: 'u-1' };
const bound = { namespace: 'shop', serviceaccount };

function claims(changes: JsonObject, sub: unknown = SUB): JsonObject {
  return { sub, 'kubernetes.io': { ...bound, ...changes } };
}

function reasonOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof InvalidTokenError) return error.reason;
    throw error;
  }
  return 'accepted';
}

describe('readBoundClaims', () => {
  it('reads a token bound to a pod on a node', () => {
    const pod = { name: 'checkout-1', uid: 'p-1' };
    const node = { name: 'node-1', uid: 'n-1' };
    expect(readBoundClaims({ ...claims({ pod, node, warnafter: 1 }), jti: 'id-1' })).toEqual({
      username: 'system:serviceaccount:shop:checkout',
      namespace: 'shop',
      serviceAccount: 'checkout',
      serviceAccountUid: 'u-1',
      pod,
      node,
      credentialId: 'JTI=id-1',
    });
  });

  it('reads a token that is bound to no object, to a Secret, or to a node without uid', () => {
    const plain = {
      username: 'system:serviceaccount:shop:checkout',
      namespace: 'shop',
      serviceAccount: 'checkout',
      serviceAccountUid: 'u-1',
    };
    expect(readBoundClaims(claims({}))).toEqual(plain);
    expect(readBoundClaims(claims({ secret: { name: 's', uid: 's-1' } }))).toEqual(plain);
    expect(readBoundClaims(claims({ node: { name: 'n' } }))).toEqual({ ...plain, node: { name: 'n' } });
  });

  it.each<[string, JsonObject]>([
    ['no kubernetes.io claim', { sub: SUB }],
    ['a kubernetes.io claim that is a list', { sub: SUB, 'kubernetes.io': [] }],
    ['no service account', claims({ serviceaccount: undefined })],
    ['no uid', claims({ serviceaccount: { name: 'checkout' } })],
    ['an empty uid', claims({ serviceaccount: { name: 'checkout', uid: '' } })],
    ['no namespace', claims({ namespace: undefined })],
    ['a namespace that is no label', claims({ namespace: 'sh.op' }, 'system:serviceaccount:sh.op:checkout')],
    ['a namespace in upper case', claims({ namespace: 'Shop' }, 'system:serviceaccount:Shop:checkout')],
    ['a name with a colon', claims({ serviceaccount: { name: 'a:b', uid: 'u' } }, `${SUB}:x`)],
    ['no sub', claims({}, null)],
    ["another account's sub", claims({}, 'system:serviceaccount:shop:admin')],
    ["another namespace's sub", claims({}, 'system:serviceaccount:kube-system:checkout')],
    ["a user's sub", claims({}, 'kubernetes-admin')],
    ['a sub with something behind it', claims({}, `${SUB} `)],
    ['a jti that is no string', { ...claims({}), jti: 5 }],
    ['a pod without uid', claims({ pod: { name: 'p' } })],
    ['a pod without name', claims({ pod: { uid: 'p-1' } })],
    ['a pod that is null', claims({ pod: null })],
    ['a node whose uid is no string', claims({ node: { name: 'n', uid: 1 } })],
  ])('refuses %s', (_, hostile) => {
    expect(reasonOf(() => readBoundClaims(hostile))).toBe('REJECTED');
  });
});

describe('readLegacyClaims', () => {
  const legacy = {
    iss: 'kubernetes/serviceaccount',
    sub: SUB,
    'kubernetes.io/serviceaccount/namespace': 'shop',
    'kubernetes.io/serviceaccount/secret.name': 'checkout-token',
    'kubernetes.io/serviceaccount/service-account.name': 'checkout',
    'kubernetes.io/serviceaccount/service-account.uid': 'u-1',
  };

  it('reads the claims of a legacy token', () => {
    expect(readLegacyClaims(legacy)).toEqual({
      username: 'system:serviceaccount:shop:checkout',
      namespace: 'shop',
      serviceAccount: 'checkout',
      serviceAccountUid: 'u-1',
    });
  });

  it.each<[string, JsonObject]>([
    ['an audience', { ...legacy, aud: ['orders'] }],
    ['the layout of bound tokens besides', { ...legacy, 'kubernetes.io': bound }],
    ['the layout of bound tokens', claims({})],
    ['another sub', { ...legacy, sub: 'system:serviceaccount:shop:admin' }],
    ['no uid', { ...legacy, 'kubernetes.io/serviceaccount/service-account.uid': undefined }],
  ])('refuses %s', (_, hostile) => {
    expect(reasonOf(() => readLegacyClaims(hostile))).toBe('REJECTED');
  });
});
