import { describe, expect, it } from '@jest/globals';
import {
  formatUsername,
  isNamespaceName,
  isServiceAccountName,
  parseServiceAccountPath,
  parseUsername,
} from './names.js';

const label63 = 'a'.repeat(63);
const subdomain253 = `${'a'.repeat(126)}.${'b'.repeat(126)}`;

describe('isNamespaceName: a DNS-1123 label', () => {
  it.each(['a', '0', 'shop', 'team-a', 'a--b', '1-2', label63])('accepts %j', (name) => {
    expect(isNamespaceName(name)).toBe(true);
  });
  it.each([
    '',
    'a'.repeat(64),
    '-a',
    'a-',
    'A',
    'a.b',
    'a_b',
    'a b',
    'a\n',
    'ä',
    'а',
    'a/b',
    'a:b',
    '*',
    undefined,
    null,
    7,
    ['a'],
  ])('rejects %j', (name) => {
    expect(isNamespaceName(name)).toBe(false);
  });
});

describe('isServiceAccountName: a DNS-1123 subdomain', () => {
  it.each(['a', 'default', 'a.b', 'a-b.c-d.0', subdomain253])('accepts %j', (name) => {
    expect(isServiceAccountName(name)).toBe(true);
  });
  it.each([
    '',
    `${subdomain253}c`,
    '.a',
    'a.',
    'a..b',
    'a.-b',
    'a-.b',
    'A',
    'a_b',
    'a\n',
    'a:b',
    'a/b',
    null,
    7,
  ])('rejects %j', (name) => {
    expect(isServiceAccountName(name)).toBe(false);
  });
  it('rejects a name quickly that is made to slow down the check', () => {
    expect(isServiceAccountName(`${'a-'.repeat(126)}_`)).toBe(false);
    expect(isServiceAccountName(`${'-'.repeat(100_000)}`)).toBe(false);
  });
});

describe('parseUsername', () => {
  it('is the inverse of formatUsername', () => {
    const name = { namespace: 'team-a', name: 'client.v2' };
    expect(formatUsername(name)).toBe('system:serviceaccount:team-a:client.v2');
    expect(parseUsername(formatUsername(name))).toEqual(name);
  });
  it.each([
    '',
    'kubernetes-admin',
    'system:node:node-1',
    'system:serviceaccounts:shop:checkout',
    'system:serviceaccount:shop',
    'system:serviceaccount:shop:',
    'system:serviceaccount::checkout',
    'system:serviceaccount:shop:checkout:admin',
    'system:serviceaccount:shop:checkout ',
    ' system:serviceaccount:shop:checkout',
    'System:serviceaccount:shop:checkout',
    'system:serviceaccount:shop.eu:checkout',
    'system:serviceaccount:Shop:checkout',
    'oidc:system:serviceaccount:shop:checkout',
  ])('rejects %j', (username) => {
    expect(parseUsername(username)).toBeUndefined();
  });
});

describe('parseServiceAccountPath', () => {
  it('reads namespace/name', () => {
    expect(parseServiceAccountPath('shop/checkout.v2')).toEqual({ namespace: 'shop', name: 'checkout.v2' });
  });
  it.each(['', '/', 'shop', 'shop/', '/checkout', 'shop/checkout/', 'a/b/c', 'shop:checkout', 'shop/*'])(
    'rejects %j',
    (path) => {
      expect(parseServiceAccountPath(path)).toBeUndefined();
    },
  );
});
