import { describe, expect, it } from '@jest/globals';
import { commonAccount, commonNode } from './common-names.js';

const ISSUER = 'https://issuer.example';

const account = (serviceAccount: string, more: object = {}) => ({
  namespace: 'shop',
  serviceAccount,
  serviceAccountUid: `uid of ${serviceAccount}`,
  ...more,
});
const common = (name: string, more: object = {}) =>
  commonAccount(`system:serviceaccount:shop:${name}`, account(name, more), ISSUER);

describe('the common names of a ServiceAccount', () => {
  it('are the same object for each of its tokens', () => {
    expect(common('checkout')).toBe(common('checkout'));
    expect(common('checkout').groups).toBe(common('cart').groups);
  });

  it('are not those of a ServiceAccount that was deleted and created again', () => {
    const before = common('checkout');
    const after = common('checkout', { serviceAccountUid: 'another' });
    expect(after.serviceAccountUid).toBe('another');
    expect(before.serviceAccountUid).toBe('uid of checkout');
    expect(commonAccount(after.username, account('checkout'), 'https://other.example').issuer).toBe(
      'https://other.example',
    );
  });

  it('stay correct for more ServiceAccounts than are kept', () => {
    const names = Array.from({ length: 2_500 }, (_, index) => `account-${index}`);
    for (const name of [...names, ...names]) {
      expect(common(name)).toEqual({
        ...account(name),
        username: `system:serviceaccount:shop:${name}`,
        groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
        issuer: ISSUER,
      });
    }
  });
});

describe('a common node', () => {
  it('is the same frozen object for each principal of its pods', () => {
    const node = commonNode({ name: 'worker-1', uid: 'n-1' });
    expect(commonNode({ name: 'worker-1', uid: 'n-1' })).toBe(node);
    expect(Object.isFrozen(node)).toBe(true);
  });

  it('has no UID if the token names none, even if another node of that name had one', () => {
    commonNode({ name: 'worker-2', uid: 'n-2' });
    expect(commonNode({ name: 'worker-2' })).toStrictEqual({ name: 'worker-2' });
    expect(commonNode({ name: 'worker-2', uid: 'n-3' })).toStrictEqual({ name: 'worker-2', uid: 'n-3' });
  });
});
