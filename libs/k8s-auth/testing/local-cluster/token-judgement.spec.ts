import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../fake-clock.js';
import { ApiClient } from './api-client.fixture.js';
import { LocalCluster } from './local-cluster.js';
import { type TokenOptions } from './local-cluster.options.js';

const CHECKOUT = { namespace: 'shop', serviceAccount: 'checkout', audiences: ['orders'] };
const CRYPTOGRAPHIC = '[invalid bearer token, go-jose/go-jose: error in cryptographic primitive]';

describe('how the local API server verifies tokens', () => {
  let clock: FakeClock;
  let cluster: LocalCluster;
  let client: ApiClient;
  let reviewer: string;

  beforeEach(async () => {
    clock = new FakeClock();
    cluster = await LocalCluster.start({ clock, signingAlgorithm: 'ES256' });
    client = new ApiClient(cluster);
    await cluster.createServiceAccount('shop', 'checkout');
    cluster.grant('create tokenreviews', 'shop/default');
    reviewer = await cluster.createToken({
      namespace: 'shop',
      serviceAccount: 'default',
      expirationSeconds: 86_400,
    });
  });

  afterEach(async () => {
    await client.close();
    await cluster.close();
  });

  async function judge(options: Partial<TokenOptions> = {}): Promise<unknown> {
    return judgeToken(await cluster.createToken({ ...CHECKOUT, ...options }));
  }

  async function judgeToken(token: string, audiences = ['orders']): Promise<unknown> {
    const { authenticated, error } = await client.review(reviewer, token, audiences);
    return authenticated ?? error;
  }

  const seconds = (offset: number) => Math.floor(clock.wallMs() / 1000) + offset;

  describe('signature', () => {
    it.each([
      ['another key', () => ({ key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey })],
      [
        'a key of another kind',
        () => ({ key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey }),
      ],
      ['none', () => ({ header: { alg: 'none' } })],
      ['an algorithm that is not the key’s', () => ({ header: { alg: 'unheard-of' } })],
      [
        'HMAC with the public key as its secret',
        () => ({ header: { alg: 'HS256' }, key: createSecretKey(Buffer.from(cluster.publicKeysPem())) }),
      ],
      ['a critical header', () => ({ header: { crit: ['exp'], exp: 1 } })],
    ])('refuses %s', async (_, forgery) => {
      expect(await judge(forgery())).toBe(CRYPTOGRAPHIC);
    });

    it('refuses a kid that no key has', async () => {
      const verdict = await judge({ header: { kid: 'unknown' } });
      expect(verdict).toBe('[invalid bearer token, invalid signature, no keys found]');
    });

    it('does not accept a text with a kid that is not a string as a token', async () => {
      expect(await judge({ header: { kid: 7 } })).toBe('invalid bearer token');
    });

    it('tries every key for a token without kid', async () => {
      await cluster.rotateSigningKey({ keepOld: true, algorithm: 'RS256' });
      expect(await judge({ header: { kid: undefined } })).toBe(true);
    });
  });

  describe('times, with a leeway of one minute', () => {
    it.each([
      ['exp', -60, true],
      ['exp', -61, '[invalid bearer token, service account token has expired]'],
      ['nbf', 60, true],
      ['nbf', 61, '[invalid bearer token, service account token is not valid yet]'],
      ['iat', 60, true],
      ['iat', 61, '[invalid bearer token, service account token is issued in the future]'],
    ])('%s %d s from now', async (claim, offset, verdict) => {
      expect(await judge({ claims: { [claim]: seconds(offset) } })).toBe(verdict);
    });

    it('uses the injected clock', async () => {
      const token = await cluster.createToken({ ...CHECKOUT, expirationSeconds: 600 });
      await clock.advance(660_000);
      expect(await judgeToken(token)).toBe(true);
      await clock.advance(1_000);
      expect(await judgeToken(token)).toBe('[invalid bearer token, service account token has expired]');
    });

    it('refuses a time that is not a number', async () => {
      expect(await judge({ claims: { exp: 'soon' } })).toMatch(/expected number value to unmarshal/);
    });

    it('accepts a token without exp, nbf and iat', async () => {
      expect(await judge({ claims: { exp: undefined, nbf: undefined, iat: undefined } })).toBe(true);
    });
  });

  describe('claims', () => {
    it('ignores sub, because the kubernetes.io claim names the user', async () => {
      const claims = { sub: 'system:serviceaccount:shop:admin' };
      const token = await cluster.createToken({ ...CHECKOUT, claims });
      const { user } = await client.review(reviewer, token, ['orders']);
      expect(user).toMatchObject({ username: 'system:serviceaccount:shop:checkout' });
    });

    it('accepts aud as a single string', async () => {
      expect(await judge({ claims: { aud: 'orders' } })).toBe(true);
    });

    it('accepts a token without aud as issued for the API server', async () => {
      const token = await cluster.createToken({ ...CHECKOUT, claims: { aud: undefined } });
      expect(await judgeToken(token, [cluster.issuer])).toBe(true);
      expect(await judgeToken(token)).toMatch(/^\[invalid bearer token, token audiences \["https:/);
    });

    it('refuses a ServiceAccount that does not exist', async () => {
      const claims = { 'kubernetes.io': { serviceaccount: { name: 'nobody' } } };
      expect(await judge({ claims })).toBe('[invalid bearer token, serviceaccounts "nobody" not found]');
      expect(await judge({ claims: { 'kubernetes.io': undefined } })).toBe(
        '[invalid bearer token, resource name may not be empty]',
      );
      expect(await judge({ claims: { 'kubernetes.io': { namespace: undefined } } })).toBe(
        '[invalid bearer token, the server could not find the requested resource]',
      );
    });

    it.each([
      ['sub', { sub: 7 }, 'json: cannot unmarshal number into Go value of type string'],
      ['jti', { jti: true }, 'json: cannot unmarshal bool into Go value of type string'],
      ['aud', { aud: null }, 'go-jose/go-jose/jwt: expected string or array value to unmarshal to Audience'],
      ['kubernetes.io', { 'kubernetes.io': 'x' }, 'json: cannot unmarshal string into Go value of type'],
      ['pod', { 'kubernetes.io': { pod: [] } }, 'json: cannot unmarshal array into Go value of type'],
      ['warnafter', { 'kubernetes.io': { warnafter: 'x' } }, 'go-jose/go-jose/jwt: expected number value'],
    ])('refuses %s of another type', async (_, claims, words) => {
      expect(await judge({ claims })).toContain(`[invalid bearer token, ${words}`);
    });

    it.each([['secret'], ['node']])('refuses a %s that does not exist', async (kind) => {
      const claims = { 'kubernetes.io': { [kind]: { name: 'gone', uid: 'x' } } };
      expect(await judge({ claims })).toBe(
        '[invalid bearer token, service account token has been invalidated]',
      );
    });

    it('refuses a node with another UID, and does not check the node when there is a pod', async () => {
      const { metadata } = await cluster.createPod('shop', 'p', { serviceAccount: 'checkout', node: 'n' });
      const node = { name: 'n', uid: 'x' };
      expect(await judge({ claims: { 'kubernetes.io': { node } } })).toMatch(
        /node UID \(.*\) does not match service account node ref claim \(x\)\]$/,
      );
      const pod = { name: 'p', uid: metadata.uid };
      expect(await judge({ claims: { 'kubernetes.io': { node, pod } } })).toBe(true);
    });

    it('gives the user no extra when the token has neither jti nor pod', async () => {
      const token = await cluster.createToken({ ...CHECKOUT, claims: { jti: undefined } });
      const { user } = await client.review(reviewer, token, ['orders']);
      expect(user).not.toHaveProperty('extra');
    });
  });

  describe('deletion', () => {
    it('refuses the tokens of a deleted ServiceAccount, even after it was created again', async () => {
      const token = await cluster.createToken(CHECKOUT);
      expect(await judgeToken(token)).toBe(true);
      await cluster.deleteServiceAccount('shop', 'checkout');
      expect(await judgeToken(token)).toBe('[invalid bearer token, serviceaccounts "checkout" not found]');
      await cluster.createServiceAccount('shop', 'checkout');
      expect(await judgeToken(token)).toMatch(/service account UID \(.*\) does not match claim \(.*\)\]$/);
    });

    it('refuses the tokens of a deleted pod, even after it was created again', async () => {
      await cluster.createPod('shop', 'p', { serviceAccount: 'checkout' });
      const token = await cluster.createToken({ ...CHECKOUT, pod: 'p' });
      expect(await judgeToken(token)).toBe(true);
      await cluster.deletePod('shop', 'p');
      expect(await judgeToken(token)).toBe(
        '[invalid bearer token, service account token has been invalidated]',
      );
      await cluster.createPod('shop', 'p', { serviceAccount: 'checkout' });
      expect(await judgeToken(token)).toMatch(/pod UID \(.*\) does not match service account pod ref claim/);
    });
  });
});
