import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createVerifier } from '../../../test-support/create-verifier.js';
import { generateKeyPairSync } from 'node:crypto';
import { OWN_ACCOUNT, type OwnCluster, startOwnCluster } from '../../api-server/own-cluster.fixture.js';
import { until } from '../../http/https-server.fixture.js';
import { type Verifier } from '../verifier.js';
import { tokenreviewDefinition, type TokenReviewOptions } from './tokenreview.definition.js';

const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

let own: OwnCluster;
let verifier: Verifier;

const create = (more: Partial<TokenReviewOptions> = {}) => createVerifier(own, tokenreviewDefinition, more);

beforeEach(async () => {
  own = await startOwnCluster();
  await own.cluster.createServiceAccount('shop', 'checkout');
  verifier = await create();
});

afterEach(async () => {
  await verifier.close();
  await own.close();
});

function mint(options: object = {}): Promise<string> {
  const account = { namespace: 'shop', serviceAccount: 'checkout', audiences: ['orders'] };
  return own.cluster.createToken({ ...account, ...options });
}

async function verify(token: string): Promise<string> {
  try {
    return (await verifier.verify(token, ['orders'])).principal.serviceAccount;
  } catch (error) {
    return (error as { reason?: string; code: string }).reason ?? (error as { code: string }).code;
  }
}

const reviews = () => own.cluster.requests.count({ endpoint: 'tokenreviews' });

async function haveKeysRead(): Promise<void> {
  verifier.start();
  await until(() => verifier.readiness().note === 'forged tokens are rejected before a review');
}

describe('tokenreview with the keys of the cluster', () => {
  beforeEach(haveKeysRead);

  it('refuses a token with an invalid signature without a review', async () => {
    expect(await verify(await mint({ key: stranger }))).toBe('SIGNATURE');
    expect(reviews()).toBe(0);
  });

  it('reviews a token with a valid signature, because it may have been revoked', async () => {
    const token = await mint();
    expect(await verify(token)).toBe('checkout');
    await own.cluster.deleteServiceAccount('shop', 'checkout');
    await own.clock.advance(10_000);
    expect(await verify(token)).toBe('REJECTED');
  });

  it.each([
    ['an unknown key', { kid: 'another' }],
    ['no key', { kid: undefined }],
    ['an algorithm that Kubernetes does not use', { alg: 'HS256' }],
  ])('reviews a token that names %s, because the API server may know the key', async (_, header) => {
    expect(await verify(await mint({ key: stranger, header }))).toBe('REJECTED');
    expect(reviews()).toBe(1);
  });

  it('accepts a token of a key that has just begun to sign', async () => {
    await own.cluster.rotateSigningKey({ keepOld: true });
    expect(await verify(await mint())).toBe('checkout');
  });
});

describe('tokenreview reviews every token', () => {
  it('while the keys have not been read', async () => {
    own.cluster.faults.set({ on: 'jwks', fault: { kind: 'hang' } });
    verifier.start();
    expect(await verify(await mint())).toBe('checkout');
    expect(await verify(await mint({ key: stranger }))).toBe('REJECTED');
    expect(verifier.readiness().note).toMatch(/^tokens are reviewed without a check of their signature/);
  });

  it('without the right to read the keys, and is ready with a note about it', async () => {
    own.cluster.revoke('read discovery', OWN_ACCOUNT);
    verifier.start();
    await until(() => own.log.messages('warn').length > 0);
    expect(await verify(await mint({ key: stranger }))).toBe('REJECTED');
    expect(verifier.readiness()).toMatchObject({
      status: 'ready',
      note: expect.stringMatching(/without a check of their signature \(.*403/),
    });
    expect(own.log.messages('warn')).toEqual([
      expect.stringMatching(/^keys could not be fetched: .*; tokens are reviewed without a check/),
    ]);
    expect(own.log.messages('error')).toEqual([]);
  });

  it('with checkSignatures false, and does not request keys', async () => {
    await verifier.close();
    verifier = await create({ checkSignatures: false });
    verifier.start();
    expect(await verify(await mint({ key: stranger }))).toBe('REJECTED');
    expect(own.cluster.requests.count({ endpoint: 'jwks' })).toBe(0);
    expect(verifier.readiness()).not.toHaveProperty('note');
  });
});

describe('the full review queue of tokenreview', () => {
  beforeEach(haveKeysRead);

  it('reviews tokens with a valid signature before tokens that cannot be checked locally', async () => {
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'delay', ms: 20 } });
    const order: string[] = [];
    const unknown = await Promise.all(
      Array.from({ length: 40 }, () => mint({ key: stranger, header: { kid: 'another' } })),
    );
    const genuine = await mint();
    const all = unknown.map((token) => verify(token).then((outcome) => void order.push(outcome)));
    all.push(verify(genuine).then((outcome) => void order.push(outcome)));
    let left = all.length;
    for (const one of all) void one.finally(() => left--);
    while (left > 0) await own.clock.advance(5);
    // 16 are under way when it comes.
    expect(order.indexOf('checkout')).toBeLessThan(32);
    expect(order.filter((outcome) => outcome === 'REJECTED')).toHaveLength(40);
  });
});
