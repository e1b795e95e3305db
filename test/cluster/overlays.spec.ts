import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster, providerCan } from './support/cluster.fixture.js';
import { Deployment, type Overlay } from './support/deployment.fixture.js';
import { requestFromPod } from './support/request.fixture.js';
import { createToken, signedAnew } from './support/tokens.fixture.js';

const OVERLAYS: readonly Overlay[] = ['tokenreview', 'jwt-pubkey', 'oidc-discovery', 'hybrid', 'production'];
const canSign = await providerCan('signing-key');
const cluster = Cluster.given();

describe.each(OVERLAYS)('I deploy both applications with k8s/overlays/%s', (overlay) => {
  const sent: string[] = [];
  let deployment: Deployment;

  /** Sends the token from a pod, and returns the line that service2 logs about it. */
  async function refusal(token?: string) {
    if (token !== undefined) sent.push(token);
    const before = new Set((await deployment.log('service2', '--timestamps')).split('\n'));
    const answer = await requestFromPod(cluster, { token });
    const after = (await deployment.log('service2', '--timestamps')).split('\n');
    return { answer, log: after.filter((line) => !before.has(line)).join('\n') };
  }

  beforeAll(async () => {
    deployment = await Deployment.of(cluster, overlay);
  });
  afterAll(() => deployment?.remove());

  it('service2 authenticates service1 by its own ServiceAccount', async () => {
    const line = await deployment.firstSuccess();
    const name = overlay === 'production' ? 'service1' : 'default';
    expect(line).toContain(
      `target=http://service2.mytest.svc, status=200, response: 'hello system:serviceaccount:mytest:${name}'`,
    );
  });

  it('applying the overlay once more changes nothing', async () => {
    const lines = (await cluster.kubectl('apply', '--kustomize', `k8s/overlays/${overlay}`))
      .trim()
      .split('\n');
    expect(lines.length).toBeGreaterThan(4);
    // kubectl sends the selector of a disruption budget each time: its patch strategy is "replace".
    const changed = lines.filter((line) => !/ unchanged$|^poddisruptionbudget/.test(line));
    expect(changed).toEqual([]);
  });

  it('both applications run under the Pod Security Standard "restricted"', async () => {
    const { metadata } = await cluster.get<{ metadata: { labels: Record<string, string> } }>(
      'namespace',
      'mytest',
    );
    expect(metadata.labels['pod-security.kubernetes.io/enforce']).toBe('restricted');
  });

  it('a request without a token is refused', async () => {
    const { answer, log } = await refusal();
    expect(answer).toMatchObject({ status: 401, challenge: 'Bearer' });
    expect(log).toContain('ERR_K8S_AUTH_TOKEN_MISSING');
  });

  it.each([
    ['issued for another service', { audience: 'service3' }],
    ['issued for the API server', {}],
  ])('a request with a token %s is refused', async (_, request) => {
    const { answer, log } = await refusal(await createToken(cluster, request));
    expect(answer).toMatchObject({ status: 401, challenge: 'Bearer error="invalid_token"' });
    expect(log).toContain('ERR_K8S_AUTH_TOKEN_AUDIENCE');
  });

  it('a workload of another namespace is authenticated by its own ServiceAccount, and may use only routes that allow it', async () => {
    const token = await createToken(cluster, { namespace: 'default', audience: 'service2' });
    expect(await requestFromPod(cluster, { token })).toMatchObject({
      status: 200,
      body: 'hello system:serviceaccount:default:default',
    });
    expect(await requestFromPod(cluster, { token, path: '/admin' })).toMatchObject({
      status: 403,
      challenge: expect.stringContaining('Bearer error="insufficient_scope"'),
    });
    expect(await deployment.log('service2')).toContain('ERR_K8S_AUTH_PRINCIPAL_FORBIDDEN');
  });

  const itIfPossible = canSign ? it : it.skip;
  itIfPossible('a request with an expired token is refused', async () => {
    const now = Math.floor(Date.now() / 1000);
    const good = await createToken(cluster, { audience: 'service2' });
    const old = await signedAnew(cluster, good, (claims) => ({
      ...claims,
      iat: now - 700,
      nbf: now - 700,
      exp: now - 100,
    }));
    const { answer, log } = await refusal(old);
    expect(answer).toMatchObject({ status: 401, challenge: 'Bearer error="invalid_token"' });
    expect(log).toContain('ERR_K8S_AUTH_TOKEN_EXPIRED');
  });

  it('no part of a token is in the log of any pod', async () => {
    const logs = (await deployment.log('service1')) + (await deployment.log('service2'));
    expect(logs).toContain('status=200');
    expect(logs).not.toMatch(/eyJ[\w-]{10}/);
    for (const token of sent) {
      for (const part of token.split('.')) expect(logs).not.toContain(part);
    }
  });
});
