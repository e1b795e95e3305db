import { describe, expect, it } from '@jest/globals';
import { PodHints } from './pod-hints.js';

const NOTHING = { tokenFiles: [], hostNames: [] };

describe('PodHints', () => {
  it('names the option for a token file that does not exist, once', () => {
    const hints = new PodHints();
    const line = "reason: 'token file /var/run/secrets/tokens/stock cannot be read', code: 'ERR_K8S_AUTH_…'";
    expect(hints.hintFor(line, NOTHING)).toBe(
      'to get a token in /var/run/secrets/tokens/stock, add --token-file /var/run/secrets/tokens/stock=<audience>',
    );
    expect(hints.hintFor(line, NOTHING)).toBeUndefined();
  });

  it('lists the token files that the pod has, because the path may be misspelt', () => {
    const tokenFiles = ['/var/run/secrets/tokens/orders', '/tokens/billing'];
    const line = 'token file /tokens/bill cannot be read';
    expect(new PodHints().hintFor(line, { ...NOTHING, tokenFiles })).toMatch(
      /; the pod has \/var\/run\/secrets\/tokens\/orders, \/tokens\/billing$/,
    );
  });

  it.each([
    ['/tokens/billing', 'token file /tokens/billing cannot be read'],
    ['billing.shop.svc', 'getaddrinfo ENOTFOUND billing.shop.svc'],
  ])(
    'names NODE_OPTIONS if the pod has %s, because a script may have replaced what dev sets',
    (what, line) => {
      const pod = { tokenFiles: ['/tokens/billing'], hostNames: ['billing.shop.svc'] };
      expect(new PodHints().hintFor(line, pod)).toBe(
        `the pod has ${what}, but this process does not see it: where a script sets NODE_OPTIONS, keep what dev has set, ` +
          'as in NODE_OPTIONS="$NODE_OPTIONS --inspect"',
      );
    },
  );

  it.each([
    ['billing.shop.svc', '--as shop/billing '],
    ['billing.shop.svc.cluster.local', '--as shop/billing '],
    ['billing.shop', '--as shop/billing '],
    ['billing', '--as <namespace>/billing '],
  ])('names the options for a service with the name %s that does not run', (host, expected) => {
    expect(new PodHints().hintFor(`Error: getaddrinfo ENOTFOUND ${host}`, NOTHING)).toContain(expected);
  });

  it.each([
    'Error: getaddrinfo ENOTFOUND www.example.com',
    'token file ./token cannot be read',
    'getaddrinfo is slow',
  ])('has no hint for: %s', (line) => {
    expect(new PodHints().hintFor(line, NOTHING)).toBeUndefined();
  });
});
