import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LocalCluster } from '../testing/index.js';
import { findApiServerAudiences } from './k8s-auth.api-server-audiences.js';
import { type TokenVerifier } from './verifiers/token-verifier.js';

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
    expect([...(await findApiServerAudiences(undefined, '/nowhere/token'))]).toEqual(USUAL);
  });

  it('adds what the verifier knows', async () => {
    const verifier = {
      apiServerAudiences: () => Promise.resolve(['https://issuer.example']),
    } as Partial<TokenVerifier>;
    const found = await findApiServerAudiences(verifier as TokenVerifier, '/nowhere/token');
    expect([...found]).toEqual([...USUAL, 'https://issuer.example']);
  });

  it("adds issuer and audiences of the pod's own API token", async () => {
    const mount = await cluster.writeInClusterMount({ namespace: 'shop', serviceAccount: 'default' });
    const found = await findApiServerAudiences(undefined, `${mount}/token`);
    expect([...found]).toEqual([...USUAL, 'api', 'konnectivity', 'https://issuer.example']);
  });
});
