import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../errors.js';
import { createPrincipal, type Principal } from '../identity/principal.js';
import { type AuthorizationRule, allOf, allowNamespaces, allowServiceAccounts, anyOf, not } from './rules.js';

function principalOf(namespace: string, serviceAccount: string): Principal {
  return createPrincipal({
    namespace,
    serviceAccount,
    serviceAccountUid: 'uid',
    audiences: ['orders'],
    issuer: 'https://issuer.test',
    verifiedBy: 'test',
  });
}

const checkout = principalOf('shop', 'checkout');
const yes: AuthorizationRule = () => ({ allowed: true });
const no: AuthorizationRule = () => ({ allowed: false, reason: 'says no' });
const throws: AuthorizationRule = () => {
  throw new Error('broken');
};
const undecided = (() => undefined) as unknown as AuthorizationRule;
const rejects = (() => Promise.reject(new Error('late'))) as unknown as AuthorizationRule;

function isAllowed(rule: AuthorizationRule, principal: Principal = checkout): boolean {
  return rule(principal).allowed;
}

/** Arguments that a caller in plain JavaScript, or a list from the environment, may bring. */
function loosely(
  rule: (...values: never[]) => AuthorizationRule,
): (...values: unknown[]) => AuthorizationRule {
  return rule as (...values: unknown[]) => AuthorizationRule;
}

describe('allowServiceAccounts', () => {
  it.each([
    ['shop', 'checkout', true],
    ['shop', 'admin', true],
    ['team-a', 'client', true],
    ['team', 'a.client', true],
    // Security catalogue, fault 44: names that look alike.
    ['other', 'checkout', false],
    ['checkout', 'shop', false],
    ['shop', 'checkout2', false],
    ['shop', 'checkou', false],
    ['shop', 'my-checkout', false],
    ['shop', 'checkout.v2', false],
    ['shop2', 'checkout', false],
    ['my-shop', 'checkout', false],
    ['team', 'a-client', false],
    ['team', 'a', false],
    ['team-a', 'a.client', false],
    ['team', 'aXclient', false],
    ['team', 'a', false],
    ['shop', 'Checkout', false],
    ['SHOP', 'checkout', false],
    ['shop', 'сheckout', false],
    ['shop', 'checkout ', false],
    ['shop', 'checkout\u0000', false],
    ['shop', 'checkout/admin', false],
    ['shop/checkout', '', false],
    ['', 'shop/checkout', false],
    ['shop', '', false],
    ['shop', '*', false],
    ['shop', '__proto__', false],
  ])('for %j %j: allowed is %p', (namespace, name, expected) => {
    const rule = allowServiceAccounts('shop/checkout', 'shop/admin', 'team-a/client', 'team/a.client');
    expect(isAllowed(rule, principalOf(namespace, name))).toBe(expected);
  });

  it.each([
    ['*'],
    ['shop/*'],
    ['shop'],
    ['shop/checkout/x'],
    ['shop:checkout'],
    ['/checkout'],
    ['shop/'],
    [' shop/checkout'],
    ['shop/check out'],
    ['Shop/checkout'],
    ['shop.eu/checkout'],
    ['system:serviceaccount:shop:checkout'],
    [''],
    [undefined],
    [7],
    [['shop/checkout']],
    [/shop\/checkout/],
  ])('throws for the argument %p', (path) => {
    expect(() => loosely(allowServiceAccounts)('shop/admin', path)).toThrow(
      expect.objectContaining({
        code: 'ERR_K8S_AUTH_CONFIGURATION_INVALID',
        mistakes: ["allowServiceAccounts: expected argument 2 to be a ServiceAccount as 'namespace/name'"],
      }),
    );
  });

  it('gives a reason for the log, and its own name', () => {
    const rule = allowServiceAccounts('shop/admin');
    expect(rule(checkout)).toEqual({ allowed: false, reason: 'shop/checkout is not in the list' });
    expect(rule.name).toBe('allowServiceAccounts');
  });

  it('does not change when its list of arguments is changed later', () => {
    const list = ['shop/admin'];
    const rule = allowServiceAccounts(...list);
    list.push('shop/checkout');
    expect(isAllowed(rule)).toBe(false);
  });
});

describe('allowNamespaces', () => {
  it.each([
    ['shop', true],
    ['team-a', true],
    ['sho', false],
    ['shop2', false],
    ['shop-eu', false],
    ['my-shop', false],
    ['team', false],
    ['SHOP', false],
    ['ѕhop', false],
    ['', false],
  ])('for %j: allowed is %p', (namespace, expected) => {
    expect(isAllowed(allowNamespaces('shop', 'team-a'), principalOf(namespace, 'checkout'))).toBe(expected);
  });

  it.each([['*'], ['shop*'], ['shop/checkout'], ['shop.eu'], ['-shop'], [''], [null], ['a'.repeat(64)]])(
    'throws for the argument %p',
    (namespace) => {
      expect(() => loosely(allowNamespaces)(namespace)).toThrow(
        expect.objectContaining({
          mistakes: ['allowNamespaces: expected argument 1 to be the name of a namespace'],
        }),
      );
    },
  );

  it('gives a reason for the log', () => {
    expect(allowNamespaces('eu')(checkout)).toEqual({
      allowed: false,
      reason: 'namespace shop is not in the list',
    });
  });
});

describe('combined rules', () => {
  it.each<[string, AuthorizationRule, boolean]>([
    ['allOf(yes)', allOf(yes), true],
    ['allOf(yes, yes)', allOf(yes, yes), true],
    ['allOf(yes, no)', allOf(yes, no), false],
    ['allOf(yes, throws)', allOf(yes, throws), false],
    ['allOf(yes, undecided)', allOf(yes, undecided), false],
    ['allOf(rejects)', allOf(rejects), false],
    ['anyOf(no, yes)', anyOf(no, yes), true],
    ['anyOf(no, no)', anyOf(no, no), false],
    ['anyOf(throws, yes)', anyOf(throws, yes), true],
    ['anyOf(throws, undecided)', anyOf(throws, undecided), false],
    ['anyOf(rejects)', anyOf(rejects), false],
    ['not(no)', not(no), true],
    ['not(yes)', not(yes), false],
    ['not(no, yes)', not(no, yes), false],
    ['not(no, no)', not(no, no), true],
    ['not(throws)', not(throws), false],
    ['not(undecided)', not(undecided), false],
    ['not(rejects)', not(rejects), false],
    ['not(not(throws))', not(not(throws)), true],
    ['not(allOf(yes, no))', not(allOf(yes, no)), true],
    [
      'a namespace without one of its accounts',
      allOf(allowNamespaces('shop'), not(allowServiceAccounts('shop/checkout'))),
      false,
    ],
  ])('%s', (_, rule, expected) => {
    expect(isAllowed(rule)).toBe(expected);
  });

  it('name the rule that denied the caller', () => {
    expect(allOf(yes, allowNamespaces('eu'))(checkout)).toMatchObject({
      reason: 'allowNamespaces namespace shop is not in the list',
    });
    expect(anyOf(no, () => ({ allowed: false, reason: 'nor this' }))(checkout)).toMatchObject({
      reason: 'no says no; a rule nor this',
    });
    expect(not(no, allowNamespaces('shop'))(checkout)).toMatchObject({
      reason: 'allowNamespaces allows shop/checkout',
    });
    expect(not(throws)(checkout)).toMatchObject({ reason: 'throws threw an error: broken' });
    expect(allOf((() => ({ allowed: false })) as never)(checkout)).toMatchObject({
      reason: 'a rule gave no reason',
    });
    expect([allOf(yes), anyOf(yes), not(yes), allowNamespaces('a')].map(({ name }) => name)).toEqual([
      'allOf',
      'anyOf',
      'not',
      'allowNamespaces',
    ]);
  });
});

describe('rules without arguments, or with wrong ones', () => {
  it.each([
    ['allowServiceAccounts', loosely(allowServiceAccounts)],
    ['allowNamespaces', loosely(allowNamespaces)],
    ['allOf', loosely(allOf)],
    ['anyOf', loosely(anyOf)],
    ['not', loosely(not)],
  ])('%s', (name, make) => {
    expect(() => make()).toThrow(ConfigurationError);
    expect(() => make()).toThrow(new RegExp(`${name}: expected at least one argument`));
    expect(() => make(7, {})).toThrow(
      new RegExp(`${name}: expected argument 1 .*\\n.*${name}: expected argument 2 `),
    );
  });
});

describe('a function that creates rules and was not called', () => {
  it.each([allOf, anyOf, not])('is rejected as an argument of a combined rule', (combine) => {
    expect(() => loosely(combine as never)(allowNamespaces)).toThrow(
      "expected argument 1 to be a rule, such as allowNamespaces('shop')",
    );
  });
});
