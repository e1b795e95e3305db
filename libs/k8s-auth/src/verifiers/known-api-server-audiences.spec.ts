import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LocalCluster } from '../../testing/index.js';
import { findApiServerAudiences } from './known-api-server-audiences.js';
import { type TokenVerifier } from './token-verifier.js';

const USUAL = ['https://kubernetes.default.svc', 'https://kubernetes.default.svc.cluster.local'];

describe('findApiServerAudiences', () => {
  let cluster: LocalCluster;
  beforeEach(async () => {
    cluster = await LocalCluster.start({
      issuer: 'https://issuer.example',
      apiAudiences: ['api', 'konnectivity'],
    });
  });
  afterEach(() => cluster.close());

  it('knows the usual ones without a verifier and outside of a pod', async () => {
    expect([...(await findApiServerAudiences(undefined, undefined, '/nowhere/token'))]).toEqual(USUAL);
  });

  it('adds what the verifier knows', async () => {
    const verifier = {
      apiServerAudiences: () => Promise.resolve(['https://issuer.example']),
    } as Partial<TokenVerifier>;
    const found = await findApiServerAudiences(
      verifier as TokenVerifier,
      { kind: 'tokenreview' },
      '/nowhere/token',
    );
    expect([...found]).toEqual([...USUAL, 'https://issuer.example']);
  });

  it.each([
    [{ kind: 'oidc-discovery' as const, issuer: 'https://a.example' }, ['https://a.example']],
    [{ kind: 'oidc-discovery' as const, issuer: ['https://a.example', 'b'] }, ['https://a.example', 'b']],
    [{ kind: 'oidc-discovery' as const }, []],
  ])('adds the issuers of %j, also while the verifier cannot tell', async (options, issuers) => {
    const verifier = { apiServerAudiences: () => Promise.resolve(undefined) } as Partial<TokenVerifier>;
    const found = await findApiServerAudiences(verifier as TokenVerifier, options, '/nowhere/token');
    expect([...found]).toEqual([...USUAL, ...issuers]);
  });

  it("adds issuer and audiences of the pod's own API token", async () => {
    const mount = await cluster.writeInClusterMount({ namespace: 'shop', serviceAccount: 'default' });
    const found = await findApiServerAudiences(undefined, undefined, `${mount}/token`);
    expect([...found].sort()).toEqual([...USUAL, 'https://issuer.example', 'api', 'konnectivity'].sort());
  });
});
