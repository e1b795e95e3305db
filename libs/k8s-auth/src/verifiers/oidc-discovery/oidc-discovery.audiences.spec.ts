import { copyFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  outcome,
  OWN_ACCOUNT,
  type OwnCluster,
  startOwnCluster,
} from '../../api-server/own-cluster.fixture.js';
import { type Verifier } from '../verifier.js';
import { OidcVerifiers } from './oidc-verifiers.fixture.js';

const ELSEWHERE = 'https://elsewhere.example';

let own: OwnCluster;
let verifiers: OidcVerifiers;

beforeEach(async () => {
  own = await startOwnCluster();
  verifiers = new OidcVerifiers(own);
});

afterEach(async () => {
  await verifiers.close();
  await own.close();
});

const create: OidcVerifiers['create'] = (...args) => verifiers.create(...args);

const apiServer = (tokenFile = own.tokenFile) => ({
  url: own.cluster.url,
  caFile: own.cluster.caFile,
  tokenFile,
});
const fetchKeys = (verifier: Verifier) =>
  outcome((async () => verifier.verify(await own.cluster.createToken(CALLER), ['orders']))());
const CALLER = { namespace: 'shop', serviceAccount: 'orders', audiences: ['orders'] };

describe('the audiences of the API server for oidc-discovery', () => {
  it('are the issuers and the audiences of the own token', async () => {
    const verifier = await create({ apiServer: apiServer(), issuer: [ELSEWHERE] });
    expect(await verifier.apiServerAudiences?.()).toEqual([
      ...new Set([ELSEWHERE, own.cluster.issuer, ...own.cluster.apiAudiences]),
    ]);
  });

  it('are only the issuers when there is no API server', async () => {
    const verifier = await create({ issuer: [ELSEWHERE] });
    expect(await verifier.apiServerAudiences?.()).toEqual([ELSEWHERE]);
  });

  it('include those of an API server that the verifier does not read keys from', async () => {
    const kubeconfig = await own.cluster.writeKubeconfig({ serviceAccount: OWN_ACCOUNT });
    const verifier = await create({ issuer: ELSEWHERE }, { KUBECONFIG: kubeconfig });
    expect(await verifier.apiServerAudiences?.()).toContain(own.cluster.issuer);
  });

  it('are unknown until the own token can be read, even if the issuers are known', async () => {
    const late = `${own.tokenFile}-late`;
    for (const issuer of [undefined, own.cluster.issuer]) {
      const options = { apiServer: apiServer(late), ...(issuer !== undefined && { issuer }) };
      expect(await (await create(options)).apiServerAudiences?.()).toBeUndefined();
    }
    await copyFile(own.tokenFile, late);
    await own.clock.advance(60_000);
    for (const verifier of verifiers.made) {
      expect(await verifier.apiServerAudiences?.()).toContain(own.cluster.issuer);
    }
  });

  it('are unknown without an own token and an issuer until the keys have been fetched', async () => {
    const verifier = await create({}, { KUBECONFIG: await own.cluster.writeKubeconfig() });
    expect(await verifier.apiServerAudiences?.()).toBeUndefined();
    await fetchKeys(verifier);
    expect(await verifier.apiServerAudiences?.()).toEqual([own.cluster.issuer]);
  });

  it('are the configured issuers when the own credential is not a token', async () => {
    const kubeconfig = await own.cluster.writeKubeconfig();
    const verifier = await create({ issuer: ELSEWHERE }, { KUBECONFIG: kubeconfig });
    expect(await verifier.apiServerAudiences?.()).toEqual([ELSEWHERE]);
  });
});
