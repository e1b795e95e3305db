import { describe, expect, it } from '@jest/globals';
import { optionsFromEnvironment } from './environment.js';

describe('optionsFromEnvironment', () => {
  it.each([
    [{ K8S_AUTH_VERIFIER: 'oidc-discovery' }, { verifier: { kind: 'oidc-discovery' } }],
    [
      {
        K8S_AUTH_VERIFIER: 'tokenreview',
        K8S_AUTH_AUDIENCE: 'orders',
        K8S_AUTH_ALLOW_API_SERVER_AUDIENCE: 'true',
        K8S_AUTH_ENFORCE: 'false',
      },
      { verifier: { kind: 'tokenreview' }, audience: 'orders', allowApiServerAudience: true, enforce: false },
    ],
    [
      {
        K8S_AUTH_VERIFIER: 'tokenreview',
        K8S_AUTH_API_SERVER_URL: 'https://10.0.0.1:6443',
        K8S_AUTH_API_SERVER_CA_FILE: '/ca.crt',
        K8S_AUTH_API_SERVER_TOKEN_FILE: '/token',
      },
      {
        verifier: {
          kind: 'tokenreview',
          apiServer: { url: 'https://10.0.0.1:6443', caFile: '/ca.crt', tokenFile: '/token' },
        },
      },
    ],
    [
      {
        K8S_AUTH_VERIFIER: 'jwt-pubkey',
        K8S_AUTH_ISSUER: 'https://a.example, https://b.example',
        K8S_AUTH_PUBLIC_KEY_FILES: '/a.pub,/b.pub',
        K8S_AUTH_CLOCK_TOLERANCE_MS: '0',
        K8S_AUTH_ACCEPT_LEGACY_TOKENS: 'true',
      },
      {
        verifier: {
          kind: 'jwt-pubkey',
          issuer: ['https://a.example', 'https://b.example'],
          publicKeyFiles: ['/a.pub', '/b.pub'],
          clockToleranceMs: 0,
          acceptLegacyTokens: true,
        },
      },
    ],
    [
      {
        K8S_AUTH_VERIFIER: 'oidc-discovery',
        K8S_AUTH_ISSUER: 'https://issuer.example',
        K8S_AUTH_JWKS_URI: 'https://issuer.example/keys',
        K8S_AUTH_CA_FILE: '/ca.crt',
      },
      {
        verifier: {
          kind: 'oidc-discovery',
          issuer: ['https://issuer.example'],
          jwksUri: 'https://issuer.example/keys',
          caFile: '/ca.crt',
        },
      },
    ],
    [
      {
        K8S_AUTH_DESTINATIONS:
          'http://service2.mytest.svc=/tokens/service2, https://other.svc:8443=/tokens/other',
      },
      {
        destinations: [
          { origin: 'http://service2.mytest.svc', tokenFile: '/tokens/service2' },
          { origin: 'https://other.svc:8443', tokenFile: '/tokens/other' },
        ],
      },
    ],
  ])('maps %j to options', (environment, options) => {
    expect(optionsFromEnvironment(environment)).toEqual({
      options,
      mistakes: [],
      unused: [],
      suggestions: {},
    });
  });

  it.each<[Record<string, string>, string[]]>([
    [{}, ['K8S_AUTH_VERIFIER or K8S_AUTH_DESTINATIONS']],
    [{ K8S_AUTH_VERIFIER: 'saml' }, ['K8S_AUTH_VERIFIER']],
    [{ K8S_AUTH_VERIFIER: '' }, ['K8S_AUTH_VERIFIER']],
    [{ K8S_AUTH_VERIFIER: 'jwt-pubkey' }, ['K8S_AUTH_ISSUER', 'K8S_AUTH_PUBLIC_KEY_FILES']],
    [{ K8S_AUTH_VERIFIER: 'tokenreview', K8S_AUTH_AUDIENCE: ' ' }, ['K8S_AUTH_AUDIENCE']],
    [
      { K8S_AUTH_VERIFIER: 'tokenreview', K8S_AUTH_ALLOW_API_SERVER_AUDIENCE: 'yes' },
      ['K8S_AUTH_ALLOW_API_SERVER_AUDIENCE'],
    ],
    ...['', '0', 'no', 'False', ' false', 'off'].map((text): [Record<string, string>, string[]] => [
      { K8S_AUTH_VERIFIER: 'tokenreview', K8S_AUTH_ENFORCE: text },
      ['K8S_AUTH_ENFORCE'],
    ]),
    [
      { K8S_AUTH_VERIFIER: 'oidc-discovery', K8S_AUTH_CLOCK_TOLERANCE_MS: '60001' },
      ['K8S_AUTH_CLOCK_TOLERANCE_MS'],
    ],
    [
      { K8S_AUTH_VERIFIER: 'oidc-discovery', K8S_AUTH_CLOCK_TOLERANCE_MS: '1e3' },
      ['K8S_AUTH_CLOCK_TOLERANCE_MS'],
    ],
    [{ K8S_AUTH_VERIFIER: 'oidc-discovery', K8S_AUTH_ISSUER: 'https://a.example,' }, ['K8S_AUTH_ISSUER']],
    [{ K8S_AUTH_VERIFIER: 'tokenreview', K8S_AUTH_API_SERVER_URL: 'http://x' }, ['K8S_AUTH_API_SERVER_URL']],
    [{ K8S_AUTH_VERIFIER: 'tokenreview', K8S_AUTH_API_SERVER_URL: ' ' }, ['K8S_AUTH_API_SERVER_URL']],
    [{ K8S_AUTH_DESTINATIONS: 'http://service2.mytest.svc' }, ['K8S_AUTH_DESTINATIONS']],
    [{ K8S_AUTH_DESTINATIONS: '' }, ['K8S_AUTH_DESTINATIONS']],
    [
      {
        K8S_AUTH_VERIFIER: 'jwt-pubkey',
        K8S_AUTH_ISSUER: '',
        K8S_AUTH_CLOCK_TOLERANCE_MS: 'soon',
        K8S_AUTH_AUDIENCE: '',
        K8S_AUTH_DESTINATIONS: 'x',
      },
      [
        'K8S_AUTH_AUDIENCE',
        'K8S_AUTH_ISSUER',
        'K8S_AUTH_CLOCK_TOLERANCE_MS',
        'K8S_AUTH_PUBLIC_KEY_FILES',
        'K8S_AUTH_DESTINATIONS',
      ],
    ],
  ])('rejects %j and names each variable once', (environment, variables) => {
    const { mistakes } = optionsFromEnvironment(environment);
    expect(mistakes.map((mistake) => mistake.split(':')[0]).sort()).toEqual([...variables].sort());
  });

  it('names variables that the chosen verifier does not use, and ignores them', () => {
    const { options, mistakes, unused } = optionsFromEnvironment({
      K8S_AUTH_VERIFIER: 'tokenreview',
      K8S_AUTH_ISSUER: 'https://issuer.example',
      K8S_AUTH_PUBLIC_KEY_FILES: '/sa.pub',
      K8S_AUTH_ISUER: 'https://misspelt.example',
      K8S_AUTH_SERVICE_HOST: '10.0.0.1',
      K8S_AUTH_PORT_80_TCP: 'tcp://10.0.0.1:80',
      KUBECONFIG: '/config',
    });
    expect({ options, mistakes }).toEqual({ options: { verifier: { kind: 'tokenreview' } }, mistakes: [] });
    expect([...unused].sort()).toEqual(['K8S_AUTH_ISSUER', 'K8S_AUTH_ISUER', 'K8S_AUTH_PUBLIC_KEY_FILES']);
  });

  it('reports a wrong verifier in one line, whatever else is set', () => {
    const { mistakes } = optionsFromEnvironment({
      K8S_AUTH_VERIFIER: 'token-review',
      K8S_AUTH_ISSUER: 'https://issuer.example',
      K8S_AUTH_API_SERVER_URL: 'https://10.0.0.1',
    });
    expect(mistakes).toEqual([
      'K8S_AUTH_VERIFIER: expected one of tokenreview, jwt-pubkey, oidc-discovery, hybrid',
    ]);
  });

  it.each([
    ['K8S_AUTH_AUDIENCES', 'K8S_AUTH_AUDIENCE'],
    ['K8S_AUTH_AUDEINCE', 'K8S_AUTH_AUDIENCE'],
    ['K8SAUTH_AUDIENCE', 'K8S_AUTH_AUDIENCE'],
    ['k8s_auth_audience', 'K8S_AUTH_AUDIENCE'],
    ['K8S_AUTH_DESTINATION', 'K8S_AUTH_DESTINATIONS'],
    ['K8S_AUTH_PUBLIC_KEY_FILE', 'K8S_AUTH_PUBLIC_KEY_FILES'],
    ['K8S_AUTH_WHEN_UNAVAILIBLE', 'K8S_AUTH_WHEN_UNAVAILABLE'],
  ])('suggests for %s the variable %s', (misspelt, variable) => {
    const environment = { K8S_AUTH_VERIFIER: 'hybrid', [misspelt]: 'x' };
    expect(optionsFromEnvironment(environment)).toMatchObject({
      mistakes: [],
      unused: [misspelt],
      suggestions: { [misspelt]: variable },
    });
  });

  it('suggests nothing for a variable that exists, is unlike every variable, or has a correct twin', () => {
    const { suggestions } = optionsFromEnvironment({
      K8S_AUTH_VERIFIER: 'tokenreview',
      K8S_AUTH_ISSUER: 'https://issuer.example',
      K8S_AUTH_COLOUR: 'red',
      K8S_AUTH_AUDIENCE: 'orders',
      K8S_AUTH_AUDIENCES: 'orders',
      KUBERNETES_SERVICE_HOST: '10.0.0.1',
    });
    expect(suggestions).toEqual({});
  });

  it('adds the suggestion to the mistakes if startup fails', () => {
    expect(optionsFromEnvironment({ K8S_AUTH_VERIFER: 'hybrid' }).mistakes).toEqual([
      'K8S_AUTH_VERIFIER or K8S_AUTH_DESTINATIONS: expected at least one of the two',
      'K8S_AUTH_VERIFER: expected the name of a variable of this library; did you mean K8S_AUTH_VERIFIER?',
    ]);
  });

  it('lists all mistakes in one variable', () => {
    const { mistakes } = optionsFromEnvironment({
      K8S_AUTH_DESTINATIONS: 'http://a/path=/t,http://b=/t,ftp://c=/t',
    });
    expect(mistakes).toEqual([
      expect.stringMatching(/^K8S_AUTH_DESTINATIONS: .*\[0\]\.origin/),
      expect.stringMatching(/^K8S_AUTH_DESTINATIONS: .*\[2\]\.origin/),
    ]);
  });

  it('shows the expected form of a destination when it is malformed', () => {
    expect(optionsFromEnvironment({ K8S_AUTH_DESTINATIONS: 'foo' }).mistakes).toEqual([
      'K8S_AUTH_DESTINATIONS: expected origin=file, comma-separated',
    ]);
  });

  it('does not repeat values', () => {
    const { mistakes } = optionsFromEnvironment({
      K8S_AUTH_VERIFIER: 'hunter2',
      K8S_AUTH_DESTINATIONS: 'hunter2=',
    });
    expect(mistakes.join()).not.toContain('hunter2');
  });

  it('reports variables that cannot be parsed even if the verifier is unknown', () => {
    const environment = {
      K8S_AUTH_VERIFIER: 'saml',
      K8S_AUTH_CLOCK_TOLERANCE_MS: 'x',
      K8S_AUTH_ISSUER: 'a,,b',
    };
    expect(
      optionsFromEnvironment(environment)
        .mistakes.map((mistake) => mistake.split(':')[0])
        .sort(),
    ).toEqual(['K8S_AUTH_CLOCK_TOLERANCE_MS', 'K8S_AUTH_ISSUER', 'K8S_AUTH_VERIFIER']);
  });
});
