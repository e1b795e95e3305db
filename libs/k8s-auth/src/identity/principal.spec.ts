import { describe, expect, it } from '@jest/globals';
import { createPrincipal, type PrincipalFacts } from './principal.js';

const facts: PrincipalFacts = {
  namespace: 'shop',
  serviceAccount: 'checkout',
  serviceAccountUid: 'uid-1',
  audiences: ['orders'],
  issuer: 'https://issuer.test',
  verifiedBy: 'jwt-pubkey',
};

const everything: PrincipalFacts = {
  ...facts,
  groups: ['one', 'two'],
  pod: { name: 'checkout-1', uid: 'pod-uid' },
  node: { name: 'node-1', uid: 'node-uid' },
  credentialId: 'JTI=41b9',
  issuedAtMs: Date.UTC(2030, 0, 1),
  expiresAtMs: Date.UTC(2030, 0, 1, 1),
};

describe('createPrincipal', () => {
  it('derives the same username and groups as the API server', () => {
    expect(createPrincipal(facts)).toEqual({
      username: 'system:serviceaccount:shop:checkout',
      namespace: 'shop',
      serviceAccount: 'checkout',
      serviceAccountUid: 'uid-1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
      audiences: ['orders'],
      issuer: 'https://issuer.test',
      verifiedBy: 'jwt-pubkey',
    });
  });

  it('shows every field in JSON', () => {
    expect(JSON.parse(JSON.stringify(createPrincipal(everything)))).toEqual({
      username: 'system:serviceaccount:shop:checkout',
      namespace: 'shop',
      serviceAccount: 'checkout',
      serviceAccountUid: 'uid-1',
      groups: ['one', 'two'],
      pod: { name: 'checkout-1', uid: 'pod-uid' },
      node: { name: 'node-1', uid: 'node-uid' },
      audiences: ['orders'],
      issuer: 'https://issuer.test',
      credentialId: 'JTI=41b9',
      issuedAt: '2030-01-01T00:00:00.000Z',
      expiresAt: '2030-01-01T01:00:00.000Z',
      verifiedBy: 'jwt-pubkey',
    });
  });

  it('cannot be changed, at any depth', () => {
    const principal = createPrincipal(everything);
    const before = JSON.stringify(principal);
    const attempts = [
      () => Object.assign(principal, { username: 'admin' }),
      () => Object.assign(principal, { added: true }),
      () => Object.assign(principal.pod ?? {}, { name: 'other' }),
      () => Object.assign(principal.node ?? {}, { uid: 'other' }),
      () => (principal.groups as string[]).push('system:masters'),
      () => (principal.audiences as string[]).push('other'),
      () => delete (principal as { namespace?: string }).namespace,
      () => Object.assign(principal, { expiresAt: new Date(0) }),
    ];
    for (const attempt of attempts) expect(attempt).toThrow(TypeError);
    principal.expiresAt?.setTime(0);
    principal.issuedAt?.setTime(0);
    expect(JSON.stringify(principal)).toBe(before);
    expect(principal.expiresAt).not.toBe(principal.expiresAt);
  });

  it('does not change when the objects that it was created from change', () => {
    const audiences = ['orders'];
    const groups = ['one'];
    const pod = { name: 'checkout-1', uid: 'pod-uid' };
    const principal = createPrincipal({ ...facts, audiences, groups, pod });
    audiences.push('items');
    groups.push('two');
    pod.name = 'other';
    expect(principal).toMatchObject({ audiences: ['orders'], groups: ['one'], pod: { name: 'checkout-1' } });
  });
});
