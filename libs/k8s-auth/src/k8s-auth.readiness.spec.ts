import { describe, expect, it } from '@jest/globals';
import { K8sAuthReadiness } from './k8s-auth.readiness.js';
import { type K8sAuthTokenSource } from './outbound/k8s-auth-token-source.js';
import { type Readiness, type TokenVerifier } from './verifiers/token-verifier.js';

function check(inbound: Readiness | undefined, tokens: Readonly<Record<string, boolean>>): Readiness {
  const verifier = inbound && ({ readiness: () => inbound } as TokenVerifier);
  const states = () => Object.entries(tokens).map(([origin, hasToken]) => ({ origin, hasToken }));
  return new K8sAuthReadiness(verifier, { states } as unknown as K8sAuthTokenSource).check();
}

describe('K8sAuthReadiness', () => {
  it.each<[string, Readiness | undefined, Record<string, boolean>, Readiness]>([
    ['a client with its tokens', undefined, { 'http://a': true }, { status: 'ready' }],
    [
      'a client without one',
      undefined,
      { 'http://a': true, 'http://b': false },
      { status: 'not-ready', reason: 'no token for http://b' },
    ],
    ['a server', { status: 'ready' }, {}, { status: 'ready' }],
    [
      'a server in an outage',
      { status: 'degraded', reason: 'x' },
      { 'http://a': true },
      { status: 'degraded', reason: 'x' },
    ],
    [
      'an outage and no token',
      { status: 'degraded', reason: 'x' },
      { 'http://a': false },
      { status: 'not-ready', reason: 'no token for http://a' },
    ],
    [
      'no keys yet',
      { status: 'not-ready', reason: 'no keys' },
      { 'http://a': false },
      { status: 'not-ready', reason: 'no keys' },
    ],
  ])('%s', (_, inbound, tokens, expected) => {
    expect(check(inbound, tokens)).toEqual(expected);
  });
});
