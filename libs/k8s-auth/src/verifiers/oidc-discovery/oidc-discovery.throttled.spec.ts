import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { outcome, type OwnCluster, startOwnCluster } from '../../api-server/own-cluster.fixture.js';
import { until } from '../../http/https-server.fixture.js';
import { type Verifier } from '../verifier.js';
import { IssuerServer } from '../../keys/issuer-server.fixture.js';
import { OidcVerifiers } from './oidc-verifiers.fixture.js';

let own: OwnCluster;
let issuer: IssuerServer;
let verifiers: OidcVerifiers;

beforeEach(async () => {
  own = await startOwnCluster();
  issuer = await IssuerServer.start();
  issuer.publish();
  verifiers = new OidcVerifiers(own);
});

afterEach(async () => {
  await verifiers.close();
  await issuer.close();
  await own.close();
});

const RETRY_AFTER = { 'retry-after': '30' };

/** Somebody calls every second for as long as was asked, and then keys are read. */
async function expectOneAttempt(verifier: Verifier, token: string, attempts: () => number): Promise<void> {
  const verify = () => outcome((async () => verifier.verify(token, ['orders']))());
  expect(await verify()).toMatchObject({
    code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE',
    retryAfterMs: expect.any(Number),
  });
  const first = attempts();
  for (let second = 1; second < 30; second++) {
    await own.clock.advance(1_000);
    await verify();
  }
  expect(attempts()).toBe(first);
  await own.clock.advance(1_000);
  await until(() => attempts() > first);
}

describe('an issuer that throttles is not asked again before the time it names', () => {
  it.each(['/.well-known/openid-configuration', '/keys'])('when it is read itself: %s', async (path) => {
    const verifier = await verifiers.create({ issuer: issuer.url, caFile: issuer.caFile });
    issuer.answers.set(path, (_, response) => response.writeHead(429, RETRY_AFTER).end());
    const token = issuer.token(issuer.url, own.clock.wallMs() / 1000 + 600);
    await expectOneAttempt(verifier, token, () => issuer.requests.length);
  });

  it.each([
    ['discovery', 429],
    ['jwks', 429],
    ['jwks', 503],
  ] as const)('when it is the API server: %s %d', async (on, status) => {
    const apiServer = { url: own.cluster.url, caFile: own.cluster.caFile, tokenFile: own.tokenFile };
    const verifier = await verifiers.create({ apiServer });
    own.cluster.faults.set({ on, fault: { kind: 'status', status, headers: RETRY_AFTER } });
    const token = await own.cluster.createToken({
      namespace: 'shop',
      serviceAccount: 'orders',
      audiences: ['orders'],
    });
    await expectOneAttempt(verifier, token, () => own.cluster.requests.count());
  });
});
