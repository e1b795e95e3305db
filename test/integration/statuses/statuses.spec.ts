import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EVERYWHERE, Scenario } from '../support/scenario.js';

describe.each(EVERYWHERE)('what a caller sees: $verifier on $adapter', ({ verifier, adapter }) => {
  let scenario: Scenario;

  beforeAll(async () => {
    scenario = await Scenario.start({ verifier, adapter, serverOnly: true });
    // A first request, so that the keys are loaded before the tests.
    await scenario.request('/', await scenario.bearer());
  });
  afterAll(() => scenario?.close());

  it('200 and its own name for a token issued for this audience', async () => {
    const { status, body, headers } = await scenario.request('/', await scenario.bearer());
    expect({ status, body }).toEqual({ status: 200, body: 'hello system:serviceaccount:mytest:default' });
    expect(headers['content-type']).toContain('text/plain');
  });

  it('200 and the whole principal', async () => {
    const { status, body } = await scenario.request('/whoami', await scenario.bearer());
    expect(status).toBe(200);
    expect(JSON.parse(body)).toEqual({
      username: 'system:serviceaccount:mytest:default',
      namespace: 'mytest',
      serviceAccount: 'default',
      serviceAccountUid: expect.any(String) as unknown,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:mytest', 'system:authenticated'],
      audiences: ['service2'],
      issuer: scenario.cluster.issuer,
      credentialId: expect.stringMatching(/^JTI=/) as unknown,
      issuedAt: new Date(scenario.clock.wallMs()).toISOString(),
      expiresAt: new Date(scenario.clock.wallMs() + 3_600_000).toISOString(),
      verifiedBy: verifier,
    });
  });

  it('401 and only the scheme without credentials', async () => {
    for (const authorization of [undefined, 'Basic dXNlcjpwYXNz']) {
      const { status, headers, body } = await scenario.request('/', authorization);
      expect({ status, challenge: headers['www-authenticate'] }).toEqual({
        status: 401,
        challenge: 'Bearer',
      });
      expect(JSON.parse(body)).toEqual({ statusCode: 401, message: 'Unauthorized' });
    }
  });

  it('400 for anything but one bearer token', async () => {
    const { status, headers } = await scenario.request('/', 'Bearer a b');
    expect({ status, challenge: headers['www-authenticate'] }).toEqual({
      status: 400,
      challenge: 'Bearer error="invalid_request"',
    });
  });

  it('401 and one body for every reason of refusal', async () => {
    const nowS = scenario.clock.wallMs() / 1000;
    const refused: [string, string][] = [
      ['TOKEN_MALFORMED', 'Bearer garbage'],
      [
        'TOKEN_EXPIRED',
        await scenario.bearer({ claims: { exp: nowS - 3600, iat: nowS - 7200, nbf: nowS - 7200 } }),
      ],
      ['TOKEN_AUDIENCE', await scenario.bearer({ audiences: ['other'] })],
      [
        verifier === 'tokenreview' ? 'TOKEN_REJECTED' : 'TOKEN_ISSUER',
        await scenario.bearer({ claims: { iss: 'https://evil.example' } }),
      ],
      [
        verifier === 'tokenreview' ? 'TOKEN_REJECTED' : 'TOKEN_SIGNATURE',
        `${(await scenario.bearer()).slice(0, -8)}AAAAAAAA`,
      ],
    ];
    for (const [code, authorization] of refused) {
      const { status, headers, body } = await scenario.request('/', authorization);
      expect({
        code,
        status,
        challenge: headers['www-authenticate'],
        body: JSON.parse(body) as unknown,
      }).toEqual({
        code,
        status: 401,
        challenge: 'Bearer error="invalid_token"',
        body: { statusCode: 401, message: 'Unauthorized' },
      });
      expect(scenario.log.text).toContain(`ERR_K8S_AUTH_${code}`);
    }
  });

  it('403 for an authenticated caller that is not an admin, and 200 for an admin', async () => {
    const { status, headers } = await scenario.request('/admin', await scenario.bearer());
    expect({ status, challenge: headers['www-authenticate'] }).toEqual({
      status: 403,
      challenge: 'Bearer error="insufficient_scope"',
    });
    expect(
      (await scenario.request('/admin', await scenario.bearer({ serviceAccount: 'admin' }))).status,
    ).toBe(200);
  });

  it('the probe endpoints answer everybody', async () => {
    expect((await scenario.request('/livez')).status).toBe(200);
    expect((await scenario.request('/readyz')).status).toBe(200);
  });

  it('the log contains no token text', async () => {
    const good = await scenario.bearer();
    await scenario.request('/', good);
    expect(scenario.log.text).not.toMatch(/eyJ/);
    expect(scenario.log.text).not.toContain(good.slice(-43));
  });
});
