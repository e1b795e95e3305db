import { describe, expect, it } from '@jest/globals';
import { PodHints } from './pod-hints.js';

describe('PodHints', () => {
  it('names the option for a token file that does not exist, once', () => {
    const hints = new PodHints();
    const line = "reason: 'token file /var/run/secrets/tokens/stock cannot be read', code: 'ERR_K8S_AUTH_…'";
    expect(hints.hintFor(line, [])).toBe(
      'to get a token in /var/run/secrets/tokens/stock, add --token-file /var/run/secrets/tokens/stock=<audience>',
    );
    expect(hints.hintFor(line, [])).toBeUndefined();
  });

  it('lists the token files that the pod has, because the path may be misspelt', () => {
    const present = ['/var/run/secrets/tokens/orders', '/tokens/billing'];
    expect(new PodHints().hintFor('token file /tokens/bill cannot be read', present)).toMatch(
      /; the pod has \/var\/run\/secrets\/tokens\/orders, \/tokens\/billing$/,
    );
  });

  it('names NODE_OPTIONS for a token file that the pod has: another value has replaced what dev sets', () => {
    const hint = new PodHints().hintFor('token file /tokens/bill cannot be read', ['/tokens/bill']);
    expect(hint).toBe(
      'the pod has /tokens/bill, but this process does not see it: where a script sets NODE_OPTIONS, keep what dev has set, ' +
        'as in NODE_OPTIONS="$NODE_OPTIONS --enable-source-maps"',
    );
  });

  it.each([
    ['billing.shop.svc', '--as shop/billing '],
    ['billing.shop.svc.cluster.local', '--as shop/billing '],
    ['billing.shop', '--as shop/billing '],
    ['billing', '--as <namespace>/billing '],
  ])('names the options for a service with the name %s that does not run', (host, expected) => {
    expect(new PodHints().hintFor(`Error: getaddrinfo ENOTFOUND ${host}`, [])).toContain(expected);
  });

  it.each([
    'Error: getaddrinfo ENOTFOUND www.example.com',
    'token file ./token cannot be read',
    'getaddrinfo is slow',
  ])('has no hint for: %s', (line) => {
    expect(new PodHints().hintFor(line, [])).toBeUndefined();
  });
});
