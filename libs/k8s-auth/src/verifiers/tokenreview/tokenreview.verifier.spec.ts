import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createVerifier } from '../../../test-support/create-verifier.js';
import { copyFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import {
  OWN_ACCOUNT,
  outcome,
  type OwnCluster,
  startOwnCluster,
} from '../../api-server/own-cluster.fixture.js';
import { turn, until } from '../../http/https-server.fixture.js';
import { type Verifier, type Verdict } from '../verifier.js';
import { tokenreviewDefinition, type TokenReviewOptions } from './tokenreview.definition.js';

const REVIEWS = { endpoint: 'tokenreviews' } as const;

let own: OwnCluster;
let verifier: Verifier;

const create = (more: Partial<TokenReviewOptions> = {}) => createVerifier(own, tokenreviewDefinition, more);

beforeEach(async () => {
  own = await startOwnCluster();
  await own.cluster.createServiceAccount('shop', 'checkout');
  await own.cluster.createPod('shop', 'checkout-1', { serviceAccount: 'checkout' });
  verifier = await create();
});

afterEach(async () => {
  await verifier.close();
  await own.close();
});

function tokenFor(audiences: readonly string[] = ['orders'], expirationSeconds = 3600): Promise<string> {
  const account = { namespace: 'shop', serviceAccount: 'checkout', pod: 'checkout-1' };
  return own.cluster.createToken({ ...account, audiences, expirationSeconds });
}

function verify(token: string, audiences: readonly string[] = ['orders']): Promise<Verdict> {
  return (async () => verifier.verify(token, audiences))();
}

const rejected = { name: 'InvalidTokenError', code: 'ERR_K8S_AUTH_TOKEN_REJECTED' };
const unavailable = { code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE' };
const reviews = () => own.cluster.requests.count(REVIEWS);

describe('a token that tokenreview accepts', () => {
  it('gives the principal of the caller', async () => {
    const { principal, validUntilMs } = await verify(await tokenFor(), ['stock', 'orders']);
    expect(principal).toMatchObject({
      username: 'system:serviceaccount:shop:checkout',
      serviceAccountUid: expect.any(String),
      groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
      pod: { name: 'checkout-1' },
      node: { name: 'local-node' },
      audiences: ['orders'],
      issuer: own.cluster.issuer,
      credentialId: expect.stringMatching(/^JTI=/),
      issuedAt: new Date(own.clock.wallMs()),
      expiresAt: new Date(own.clock.wallMs() + 3_600_000),
      verifiedBy: 'tokenreview',
    });
    expect(validUntilMs).toBe(own.clock.wallMs() + 3_600_000);
  });

  it('is reviewed once in ten seconds, and never after its expiry', async () => {
    const token = await tokenFor(['orders'], 15);
    await verify(token);
    await own.clock.advance(9_999);
    await verify(token);
    expect(reviews()).toBe(1);
    await own.clock.advance(1);
    await verify(token);
    expect(reviews()).toBe(2);
    await own.clock.advance(5_000);
    await expect(verify(token)).rejects.toMatchObject({ code: 'ERR_K8S_AUTH_TOKEN_EXPIRED' });
    expect(reviews()).toBe(2);
  });

  it('is reviewed once for 200 concurrent requests', async () => {
    const token = await tokenFor();
    const verdicts = await Promise.all(Array.from({ length: 200 }, () => verify(token)));
    expect(new Set(verdicts).size).toBe(1);
    expect(reviews()).toBe(1);
  });

  it('is refused when it expires during its review', async () => {
    const token = await tokenFor(['orders'], 3);
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'delay', ms: 3_000 } });
    const asked = outcome(verify(token));
    await own.cluster.requests.waitFor(REVIEWS);
    await own.clock.advance(3_000);
    expect(await asked).toMatchObject({ code: 'ERR_K8S_AUTH_TOKEN_EXPIRED' });
  });

  it('without "aud" and "exp" is left to the API server, and its verdict is kept for the lifetime only', async () => {
    const token = await own.cluster.createLegacyToken({ namespace: 'shop', serviceAccount: 'checkout' });
    const { principal, validUntilMs } = await verify(token, own.cluster.apiAudiences);
    expect(principal).toMatchObject({ issuer: 'kubernetes/serviceaccount', serviceAccount: 'checkout' });
    expect(principal).not.toHaveProperty('expiresAt');
    expect(validUntilMs).toBe(own.clock.wallMs() + 10_000);
    await expect(verify(token)).rejects.toMatchObject(rejected);
  });

  it('shares one connection for reviews with other tokens, beside the connection for the keys', async () => {
    for (let n = 0; n < 20; n++) {
      await verify(await tokenFor());
      await turn();
    }
    expect(reviews()).toBe(20);
    expect(own.cluster.requests.connections).toBeLessThanOrEqual(2);
  });
});

describe('a token that tokenreview refuses', () => {
  it('belongs to a deleted ServiceAccount, and is refused for two seconds without another review', async () => {
    const token = await tokenFor();
    await own.cluster.deleteServiceAccount('shop', 'checkout');
    await expect(verify(token)).rejects.toMatchObject(rejected);
    await own.clock.advance(1_999);
    await expect(verify(token)).rejects.toMatchObject(rejected);
    expect(reviews()).toBe(1);
    await own.clock.advance(1);
    await expect(verify(token)).rejects.toMatchObject(rejected);
    expect(reviews()).toBe(2);
  });

  it.each([
    ['MALFORMED', () => Promise.resolve('no.jwt')],
    ['EXPIRED', () => tokenFor(['orders'], -1)],
    ['AUDIENCE', () => tokenFor(['stock'])],
  ])('is not sent to the API server when it is %s', async (reason, token) => {
    await expect(verify(await token())).rejects.toMatchObject({ code: `ERR_K8S_AUTH_TOKEN_${reason}` });
    expect(own.cluster.requests.count()).toBe(0);
  });

  it('is one that the API server accepted for another audience', async () => {
    const status = { authenticated: true, audiences: [], user: {} };
    const body = (honest: object) => ({ ...honest, status });
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'body', body } });
    await expect(verify(await tokenFor())).rejects.toMatchObject({ code: 'ERR_K8S_AUTH_TOKEN_AUDIENCE' });
  });
});

describe('tokenreview when it cannot decide', () => {
  it.each(['hang', 'reset', 'cut', 'huge'] as const)('is unavailable, never rejected: %s', async (kind) => {
    verifier = await create({ timeoutMs: 100 });
    const token = await tokenFor();
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind } });
    const asked = outcome(verify(token));
    await own.cluster.requests.waitFor(REVIEWS);
    if (kind === 'hang') await own.clock.advance(100);
    expect(await asked).toMatchObject(unavailable);
    own.cluster.faults.clear();
    // The first probe of an open circuit breaker.
    await own.clock.advance(500);
    if (kind === 'hang') await until(() => own.log.messages('log').includes('API server answers again'));
    await expect(verify(token)).resolves.toHaveProperty('principal');
  });

  it('is unavailable while the API server is unreachable, but keeps accepted verdicts for their lifetime', async () => {
    verifier = await create({ timeoutMs: 100 });
    const [known, fresh] = [await tokenFor(), await tokenFor()];
    await verify(known);
    await own.cluster.outage();
    await expect(verify(known)).resolves.toHaveProperty('principal');
    await expect(verify(fresh)).rejects.toMatchObject(unavailable);
    expect(verifier.readiness().status).toBe('degraded');
    await own.cluster.recover();
    await expect(verify(fresh)).resolves.toHaveProperty('principal');
    expect(verifier.readiness().status).toBe('ready');
  });

  it('names the role while the right is missing, and recovers when the right is granted', async () => {
    verifier.start();
    await own.cluster.requests.waitFor({ endpoint: 'accessreviews', status: 201 });
    own.cluster.revoke('create tokenreviews', OWN_ACCOUNT);
    await expect(verify(await tokenFor())).rejects.toMatchObject(unavailable);
    expect(own.log.messages('error').join()).toContain('system:auth-delegator');
    expect(verifier.readiness().status).toBe('not-ready');
    own.cluster.grant('create tokenreviews', OWN_ACCOUNT);
    await own.clock.advance(10_000);
    await own.cluster.requests.waitFor({ endpoint: 'accessreviews', status: 201 }, 2);
    await expect(verify(await tokenFor())).resolves.toHaveProperty('principal');
    expect(verifier.readiness().status).toBe('ready');
  });

  it('logs nothing about any token', async () => {
    const token = await tokenFor();
    const said: unknown[] = [own.log.events];
    for (const status of [401, 403, 404, 302]) {
      own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'status', status } });
      said.push(await outcome(verify(token)));
    }
    own.cluster.faults.clear();
    await own.cluster.deleteServiceAccount('shop', 'checkout');
    said.push(await outcome(verify(token)), await outcome(verify(`${token}=`)));
    said.push(verifier.readiness());
    expect(inspect(said, { depth: 10, showHidden: true }) + JSON.stringify(said)).not.toMatch(/eyJ/);
  });
});

describe('the audiences of the API server for tokenreview', () => {
  it('are those of our own token, and its issuer', async () => {
    await expect(verifier.apiServerAudiences?.()).resolves.toStrictEqual([
      ...new Set([own.cluster.issuer, ...own.cluster.apiAudiences]),
    ]);
  });

  it('are unknown when the own credential is not a token', async () => {
    const kubeconfigFile = await own.cluster.writeKubeconfig();
    await verifier.close();
    verifier = await create({ apiServer: { kubeconfigFile } });
    await expect(verifier.apiServerAudiences?.()).resolves.toStrictEqual([]);
    await expect(verify(await tokenFor())).resolves.toHaveProperty('principal');
  });

  it('are unknown until our own token can be read', async () => {
    const tokenFile = `${own.tokenFile}-late`;
    await verifier.close();
    verifier = await create({ apiServer: { url: own.cluster.url, caFile: own.cluster.caFile, tokenFile } });
    await expect(verifier.apiServerAudiences?.()).resolves.toBeUndefined();
    await copyFile(own.tokenFile, tokenFile);
    await own.clock.advance(60_000);
    await expect(verifier.apiServerAudiences?.()).resolves.toContain(own.cluster.issuer);
  });
});

it('tokenreview fails startup without an API server', async () => {
  const context = { clock: own.clock, log: own.log, environment: {} };
  await expect(tokenreviewDefinition.create({ kind: 'tokenreview' }, context)).rejects.toMatchObject({
    code: 'ERR_K8S_AUTH_CONFIGURATION_INVALID',
  });
});

it('tokenreview leaves no timer behind', async () => {
  verifier.start();
  await own.cluster.requests.waitFor({ status: 201 });
  await own.cluster.requests.waitFor({ endpoint: 'jwks' });
  await verifier.close();
  const count = own.cluster.requests.count();
  expect(own.clock.pendingTimers).toBe(0);
  await own.clock.advance(60_000);
  expect(own.cluster.requests.count()).toBe(count);
});
