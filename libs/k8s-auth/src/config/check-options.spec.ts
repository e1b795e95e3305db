import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../errors.js';
import { type K8sAuthOptions, checkOptions, findOptionMistakes } from './options.js';

const SECRET = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzZWNyZXQifQ.c2lnbmF0dXJl';

function mistakesOf(options: unknown): readonly string[] {
  try {
    checkOptions(options as K8sAuthOptions);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as ConfigurationError).code).toBe('ERR_K8S_AUTH_CONFIGURATION_INVALID');
    return (error as ConfigurationError).mistakes;
  }
}

describe('checkOptions', () => {
  it.each([
    [{ verifier: { kind: 'tokenreview' } }],
    [{ verifier: { kind: 'oidc-discovery' }, audience: 'orders', maxTokenBytes: 16384 }],
    [{ verifier: { kind: 'oidc-discovery', issuer: ['https://a.example', 'https://b.example'] } }],
    [{ verifier: { kind: 'jwt-pubkey', issuer: 'i', publicKeyFiles: ['/etc/sa.pub'], clockToleranceMs: 0 } }],
    [
      {
        destinations: [
          { origin: 'http://service2.mytest.svc', tokenFile: '/var/run/secrets/tokens/service2' },
        ],
      },
    ],
  ])('accepts %j', (options) => {
    expect(mistakesOf(options)).toEqual([]);
  });

  it.each([[[class Metrics {}]], [[]], [() => true], [({ name }: { name: string }) => name === 'Metrics']])(
    'accepts publicControllers %p',
    (publicControllers) => {
      expect(mistakesOf({ destinations: [], publicControllers })).toEqual([]);
    },
  );

  it.each([[class Metrics {}], ['Metrics'], [['Metrics']], [[undefined]], [null], [{}], [new Array(1)]])(
    'rejects publicControllers %p',
    (publicControllers) => {
      expect(mistakesOf({ destinations: [], publicControllers })).toEqual([
        "option 'publicControllers': expected a list of controller classes, or a function that returns true or false",
      ]);
    },
  );

  it('finds the definition that the verifier belongs to', () => {
    expect(checkOptions({ verifier: { kind: 'tokenreview' } }).definition?.kind).toBe('tokenreview');
    expect(checkOptions({ destinations: [] }).definition).toBeUndefined();
  });

  it.each<[string, unknown, string]>([
    ['nothing to do', {}, "expected 'verifier', 'destinations' or both"],
    [
      'an unknown verifier',
      { verifier: { kind: 'saml' } },
      "option 'verifier.kind': expected one of tokenreview,",
    ],
    ['a verifier that is no object', { verifier: null }, "option 'verifier.kind': expected one of"],
    ['an empty audience', { verifier: { kind: 'tokenreview' }, audience: '' }, "option 'audience': expected"],
    [
      'options of another verifier',
      { verifier: { kind: 'tokenreview', issuer: 'x' } },
      "option 'verifier': ",
    ],
    [
      'too long a tolerance',
      { verifier: { kind: 'oidc-discovery', clockToleranceMs: 60_001 } },
      "option 'verifier.clockToleranceMs'",
    ],
    [
      'a negative lifetime',
      { verifier: { kind: 'tokenreview', successLifetimeMs: -1 } },
      "option 'verifier.successLifetimeMs'",
    ],
    [
      'no key files',
      { verifier: { kind: 'jwt-pubkey', issuer: 'i', publicKeyFiles: [] } },
      "option 'verifier.publicKeyFiles'",
    ],
    [
      'an empty issuer',
      { verifier: { kind: 'jwt-pubkey', issuer: '', publicKeyFiles: ['f'] } },
      "option 'verifier.issuer",
    ],
    [
      'an API server without TLS',
      { verifier: { kind: 'tokenreview', apiServer: { url: 'http://x' } } },
      "option 'verifier.apiServer.url'",
    ],
    [
      'a destination with a path',
      { destinations: [{ origin: 'http://a/b', tokenFile: 'f' }] },
      "option 'destinations[0].origin'",
    ],
    [
      'a token limit above what Node reads',
      { destinations: [], maxTokenBytes: 16_385 },
      "option 'maxTokenBytes'",
    ],
    [
      'a misspelt event',
      { destinations: [], events: { onReject: () => {} } },
      "option 'events': expected an object",
    ],
    [
      'a misspelt event beside others',
      { destinations: [], events: { onVerified: () => {}, onReject: () => {} } },
      "option 'events': expected an object",
    ],
    ['an event that is not a function', { destinations: [], events: { onVerified: 1 } }, "option 'events'"],
    [
      'a setting of the audit log that is not a boolean',
      { destinations: [], auditLog: 'yes' },
      "option 'auditLog'",
    ],
    [
      'a word that is none of the allowed ones',
      { destinations: [], longLivedConnections: 'never' },
      "option 'longLivedConnections': expected one of 'close-at-expiry', 'stay-open'",
    ],
    [
      'listeners in something other than an object',
      { destinations: [], events: null },
      "option 'events': expected an object",
    ],
    ['an option that does not exist', { verifier: { kind: 'tokenreview' }, audiance: 'x' }, 'audiance'],
    ['no options at all', undefined, 'expected'],
  ])('rejects %s and names it', (_, options, expected) => {
    expect(mistakesOf(options)).toEqual([expect.stringContaining(expected)]);
  });

  it('lists every mistake in one error', () => {
    const mistakes = mistakesOf({
      audience: '',
      verifier: { kind: 'tokenreview', successLifetimeMs: -1, timeoutMs: 'soon' },
      destinations: [{ origin: 'ftp://x', tokenFile: '' }],
    });
    for (const name of [
      'audience',
      'successLifetimeMs',
      'timeoutMs',
      'destinations[0].origin',
      'destinations[0].tokenFile',
    ]) {
      expect(mistakes.join('\n')).toContain(name);
    }
  });

  it('also lists mistakes between several options, in our own words', () => {
    const given = {
      verifier: { kind: 'tokenreview', apiServer: { url: 5, kubeconfigFile: '/k', x: 1 }, timeoutMs: 99 },
      destinations: [
        { origin: 'http://a', tokenFile: '/a' },
        { origin: 'http://a', tokenFile: 5 },
        'http://a',
      ],
      maxTokenBytes: 1e6,
      allowApiServerAudience: 'yes',
      enforce: 'false',
    };
    expect([...mistakesOf(given)].sort()).toEqual([
      "option 'allowApiServerAudience': expected true or false",
      "option 'destinations[1].origin': expected a different origin than [0]",
      "option 'destinations[1].tokenFile': expected a string",
      "option 'destinations[2]': expected an object",
      "option 'enforce': expected true or false",
      "option 'maxTokenBytes': expected at most 16384",
      "option 'verifier.apiServer': expected no option 'x': it does not exist",
      "option 'verifier.apiServer.kubeconfigFile': expected alone, without 'url', 'caFile' or 'tokenFile'",
      "option 'verifier.apiServer.url': expected a string",
      "option 'verifier.timeoutMs': expected at least 100",
    ]);
  });

  it.each([
    [
      { verifier: { kind: 'tokenreview', apiServer: null } },
      "option 'verifier.apiServer': expected an object",
    ],
    [{ destinations: 5 }, "option 'destinations': expected a list"],
    [
      { verifier: { kind: 'tokenreview', timeoutMs: 100.5 } },
      "option 'verifier.timeoutMs': expected a whole number",
    ],
  ])('says in our own words what is wrong with %j', (options, expected) => {
    expect(mistakesOf(options)).toEqual([expected]);
  });

  it('does not repeat values, which might be secrets in the wrong place', () => {
    const text = findOptionMistakes({
      audience: 1,
      verifier: { kind: SECRET },
      destinations: [{ origin: SECRET, tokenFile: 5, [SECRET.slice(0, 10)]: 1 }],
    })
      .map(({ message }) => message)
      .join('\n');
    expect(text).not.toContain(SECRET);
  });
});
