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

  it('refuses a field that does not exist, such as one of the principal itself', () => {
    const mistaken = { namespace: 'shop', expiresAt: new Date(1_000) };
    expect(() => createTestPrincipal(mistaken)).toThrow(
      new TypeError("createTestPrincipal: there is no field 'expiresAt'. Did you mean 'expiresAtMs'?"),
    );
    expect(() => createTestPrincipal({ ...createTestPrincipal(), pod: undefined })).not.toThrow();
  });

  it('cannot be changed', () => {
    const principal = createTestPrincipal({ audiences: ['orders'] });
    expect(() => Object.assign(principal, { namespace: 'other' })).toThrow(TypeError);
    expect(Object.isFrozen(principal.audiences)).toBe(true);
  });
});
