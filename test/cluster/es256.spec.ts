import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { Cluster, providerCan } from './support/cluster.fixture.js';
import { Deployment } from './support/deployment.fixture.js';
import { createToken } from './support/tokens.fixture.js';

const canChooseKey = await providerCan('up', '--signing-key');
const describeIfPossible = canChooseKey ? describe : describe.skip;
const why = canChooseKey ? '' : ' (skipped: this provider has no `up --signing-key`)';

describeIfPossible(`My cluster signs ServiceAccount tokens with an elliptic curve key${why}`, () => {
  let cluster: Cluster;
  let deployment: Deployment;

  beforeAll(async () => {
    cluster = await Cluster.up('es256', '--signing-key', 'ecdsa');
    await cluster.loadImages();
    deployment = await Deployment.of(cluster, 'oidc-discovery');
    await deployment.beside('tokenreview');
    await deployment.beside('jwt-pubkey');
  });
  afterAll(() => cluster.down());

  it('tokens are signed with ES256', async () => {
    const token = await createToken(cluster, { audience: 'service2' });
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'ES256' });
  });

  it.each([
    ['oidc-discovery', 'service1'],
    ['tokenreview', 'service1-tokenreview'],
    ['jwt-pubkey', 'service1-jwt-pubkey'],
  ])('service2 with %s accepts ES256 tokens', async (_, client) => {
    expect(await deployment.firstSuccess(client)).toContain(
      "status=200, response: 'hello system:serviceaccount:mytest:default'",
    );
  });
});
