import { describe, expect, it } from '@jest/globals';
import { createTestPrincipal } from './test-principal.js';

describe('createTestPrincipal', () => {
  it('is complete without arguments', () => {
    expect(createTestPrincipal()).toMatchObject({
      username: 'system:serviceaccount:default:default',
      namespace: 'default',
      serviceAccount: 'default',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
      verifiedBy: 'test',
    });
  });

  it('derives other fields from the given ones', () => {
    const principal = createTestPrincipal({
      namespace: 'shop',
      serviceAccount: 'checkout',
      audiences: ['orders'],
      expiresAtMs: 1_000,
    });
    expect(principal.username).toBe('system:serviceaccount:shop:checkout');
    expect(principal.audiences).toEqual(['orders']);
    expect(principal.expiresAt).toEqual(new Date(1_000));
  });

  it('cannot be changed', () => {
    const principal = createTestPrincipal({ audiences: ['orders'] });
    expect(() => Object.assign(principal, { namespace: 'other' })).toThrow(TypeError);
    expect(Object.isFrozen(principal.audiences)).toBe(true);
  });
});
