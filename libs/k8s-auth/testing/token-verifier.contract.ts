import { createSecretKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { outcome, type OwnCluster } from '../src/api-server/own-cluster.fixture.js';
import { VerifierUnavailableError } from '../src/errors.js';
import { type Verifier } from '../src/verifiers/verifier.js';
import { type Fault } from './index.js';
import { jwkOf, repeatAudience, transplant, withAlg, withHeader } from './raw-token.fixture.js';
import {
  eventually,
  expectNoTokenText,
  settled,
  VerifierBench,
  type VerifierTraits,
} from './verifier-bench.fixture.js';

const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const strangerRsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const HOUR = 3600;

const FAULTS: [string, Fault][] = [
  ['answers 500', { kind: 'status', status: 500 }],
  ['answers 403', { kind: 'status', status: 403 }],
  ['answers 401', { kind: 'status', status: 401 }],
  ['answers 404', { kind: 'status', status: 404 }],
  ['hangs', { kind: 'hang' }],
  ['is slower than the deadline', { kind: 'delay', ms: 6_000 }],
  ['resets', { kind: 'reset' }],
  ['stops in the middle', { kind: 'cut' }],
  ['sends HTML', { kind: 'body', body: '<html>login</html>' }],
  ['sends nothing', { kind: 'body', body: '' }],
  ['sends null', { kind: 'body', body: 'null' }],
  ['sends an empty object', { kind: 'body', body: '{}' }],
  ['sends too much', { kind: 'huge' }],
  ['redirects', { kind: 'redirect', to: 'https://127.0.0.1:1/elsewhere' }],
];

/**
 * The behaviour that every verifier must have, tested with a server that speaks the real protocol.
 * @param makeVerifier creates a verifier that trusts this cluster, and calls the cluster with the token in its file
 */
// eslint-disable-next-line jest/no-export -- a suite that several specs run
export function describeTokenVerifierContract(
  name: string,
  makeVerifier: (own: OwnCluster) => Promise<Verifier>,
  traits: VerifierTraits,
): void {
  describe(`${name} as a token verifier`, () => {
    const bench = new VerifierBench(makeVerifier, traits);
    const start = () => bench.start();
    const stop = () => bench.stop();
    const mint: VerifierBench['mint'] = (options) => bench.mint(options);
    const verify: VerifierBench['verify'] = (token, asked) => bench.verify(token, asked);
    const expectRefusal: VerifierBench['expectRefusal'] = (...refusal) => bench.expectRefusal(...refusal);
    const nowSeconds = () => bench.own.clock.wallMs() / 1000;

    describe('with a cluster that works', () => {
      beforeAll(start);
      afterAll(stop);

      describe('accepts', () => {
        it('a bound token, and returns all its facts', async () => {
          const token = await mint({ pod: 'checkout-1' });
          const { principal, validUntilMs } = await verify(token, ['billing', 'orders']);
          expect({ ...principal }).toEqual({
            username: 'system:serviceaccount:shop:checkout',
            namespace: 'shop',
            serviceAccount: 'checkout',
            serviceAccountUid: expect.stringMatching(/./) as unknown,
            groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
            pod: { name: 'checkout-1', uid: expect.stringMatching(/./) as unknown },
            node: { name: 'local-node', uid: expect.stringMatching(/./) as unknown },
            audiences: ['orders'],
            issuer: bench.own.cluster.issuer,
            credentialId: expect.stringMatching(/^JTI=[-0-9a-f]{36}$/) as unknown,
            issuedAt: new Date(bench.own.clock.wallMs()),
            expiresAt: new Date(bench.own.clock.wallMs() + HOUR * 1000),
            verifiedBy: traits.kind ?? name,
          });
          expect(validUntilMs).toBe(bench.own.clock.wallMs() + HOUR * 1000);
        });

        it('a token that is not bound to an object', async () => {
          const { principal } = await verify(await mint());
          expect(principal.pod).toBeUndefined();
          expect(principal.node).toBeUndefined();
        });

        it('an audience that is a string, and a list with one required audience', async () => {
          await expect(verify(await mint({ claims: { aud: 'orders' } }))).resolves.toBeDefined();
          const several = await mint({ audiences: ['billing', 'orders', 'stock'] });
          const { principal } = await verify(several, ['stock', 'none', 'orders']);
          expect([...principal.audiences].sort()).toEqual(['orders', 'stock']);
        });
      });

      it('returns an immutable principal', async () => {
        const { principal } = await verify(await mint({ pod: 'checkout-1' }));
        for (const part of [
          principal,
          principal.groups,
          principal.audiences,
          principal.pod,
          principal.node,
        ]) {
          expect(Object.isFrozen(part)).toBe(true);
        }
        principal.expiresAt?.setTime(0);
        expect(principal.expiresAt).toEqual(new Date(bench.own.clock.wallMs() + HOUR * 1000));
      });

      describe('refuses as malformed', () => {
        it.each<[string, () => Promise<string>]>([
          ['a b64token that is not a JWT', () => Promise.resolve('opaque-token')],
          ['two parts', async () => (await mint()).split('.').slice(0, 2).join('.')],
          ['a fourth part', async () => `${await mint()}.AAAA`],
          ['an empty signature', async () => (await mint()).replace(/[^.]*$/, '')],
          ['padding', async () => `${await mint()}==`],
          ['a header that is not JSON', async () => withHeader(await mint(), 'text')],
          ['a payload that is not an object', () => mint({ claims: () => '["orders"]' })],
          ['a claim that is repeated', () => mint({ claims: repeatAudience })],
          ['claims under __proto__', () => mint({ claims: () => '{"__proto__":{"aud":"orders"}}' })],
          ['crit', () => mint({ header: { crit: ['exp'] } })],
          ['alg none, without signature', () => mint({ header: { alg: 'none' } })],
          ['an exp that is not a number', () => mint({ claims: { exp: '4102444800' } })],
        ])('%s', async (_, make) => expectRefusal(await make(), 'MALFORMED'));
      });

      describe('refuses for its signature', () => {
        it.each<[string, () => Promise<string>]>([
          ["a stranger's key under our kid", () => mint({ key: stranger })],
          ["a stranger's key under its own kid", () => mint({ key: stranger, header: { kid: 'stranger' } })],
          ["a stranger's key in the header", () => mint({ key: stranger, header: { jwk: jwkOf(stranger) } })],
          ['alg none, with a borrowed signature', async () => withHeader(await mint(), { alg: 'none' })],
          ['HS256 with the public key as secret', () => mint({ key: pemSecret(), header: { alg: 'HS256' } })],
          ['RS256 for an EC key', () => mint({ key: strangerRsa, header: { alg: 'RS256' } })],
          ['ES384 for a key on P-256', async () => withAlg(await mint(), 'ES384')],
          [
            'claims of another token',
            async () => transplant(await mint(), await mint({ pod: 'checkout-1' })),
          ],
        ])('%s', async (_, make) => expectRefusal(await make(), 'SIGNATURE'));

        function pemSecret(): KeyObject {
          return createSecretKey(Buffer.from(bench.own.cluster.publicKeysPem()));
        }
      });

      describe('refuses', () => {
        it('an expired token', async () => {
          await expectRefusal(await mint({ expirationSeconds: -120 }), 'EXPIRED');
          const token = await mint({ expirationSeconds: 600 });
          await expect(verify(token)).resolves.toBeDefined();
          await bench.own.clock.advance(720_000);
          await expectRefusal(token, 'EXPIRED');
        });

        it('a token that is valid only from tomorrow', async () => {
          await expectRefusal(await mint({ claims: { nbf: nowSeconds() + 120 } }), 'NOT_YET_VALID');
          await expectRefusal(await mint({ claims: { iat: nowSeconds() + 120 } }), 'NOT_YET_VALID');
        });

        it('another issuer, and an issuer that is nearly the same', async () => {
          await expectRefusal(await mint({ claims: { iss: 'https://other.example' } }), 'ISSUER');
          await expectRefusal(await mint({ claims: { iss: `${bench.own.cluster.issuer}/` } }), 'ISSUER');
          await expectRefusal(await mint({ claims: { iss: undefined } }), 'ISSUER');
        });

        it('another audience, and an audience that is nearly the same', async () => {
          await expectRefusal(await mint({ audiences: ['billing', 'Orders', 'orders2'] }), 'AUDIENCE');
          await expectRefusal(await mint({ claims: { aud: 'orders ' } }), 'AUDIENCE');
          await expectRefusal(await mint({ claims: { aud: [] } }), 'AUDIENCE');
          await expectRefusal(await mint(), 'AUDIENCE', ['billing', 'stock']);
        });

        it('a subject that is not a ServiceAccount', async () => {
          const claims = { sub: 'kubernetes-admin', 'kubernetes.io': undefined };
          await expectRefusal(await mint({ claims }), 'REJECTED');
        });

        it('names that Kubernetes does not allow', async () => {
          const claims = {
            sub: 'system:serviceaccount:Shop:checkout',
            'kubernetes.io': { namespace: 'Shop' },
          };
          await expectRefusal(await mint({ claims }), 'REJECTED');
        });

        it('a subject that differs from the kubernetes.io claims, unless it ignores the subject', async () => {
          const token = await mint({ claims: { sub: 'system:serviceaccount:shop:admin' } });
          const result = await outcome(verify(token));
          expect(result).toMatchObject(
            traits.ignoresSubject
              ? { principal: { serviceAccount: 'checkout' } }
              : { code: 'ERR_K8S_AUTH_TOKEN_REJECTED' },
          );
        });
      });
    });

    describe('with a cluster that changes', () => {
      beforeEach(start);
      afterEach(stop);

      it('accepts tokens of a new signing key and of the old one', async () => {
        const old = await mint();
        await verify(old);
        await bench.own.cluster.rotateSigningKey({ keepOld: true, algorithm: 'RS256' });
        await bench.own.clock.advance(10_000);
        await expect(eventually(async () => verify(await mint()))).resolves.toBeDefined();
        await expect(verify(old)).resolves.toBeDefined();
      });

      // No tests for a verifier that makes no requests.
      const troubles = traits.upstreams.flatMap((on) => FAULTS.map(([what, fault]) => ({ on, what, fault })));
      if (troubles.length > 0) {
        it.each(troubles)(
          'is unavailable while $on $what, and recovers afterwards',
          async ({ on, fault }) => {
            const lift = bench.own.cluster.faults.set({ on, fault });
            const token = await mint();
            const error = await settled(bench.own, outcome(verify(token)));
            expect(error).toBeInstanceOf(VerifierUnavailableError);
            expect(error).toMatchObject({ code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE' });
            expectNoTokenText(error, token);
            lift();
            await bench.own.clock.advance(10_000);
            await expect(eventually(() => verify(token))).resolves.toBeDefined();
          },
        );
      }

      it('is unavailable while the API server is unreachable, unless it makes no requests', async () => {
        const token = await mint();
        await bench.own.cluster.outage();
        const result = await settled(bench.own, outcome(verify(token)));
        expect(result).toMatchObject(
          traits.upstreams.length > 0 ? { code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE' } : { principal: {} },
        );
      });

      it('logs no token text', async () => {
        const tokens = await Promise.all([mint(), mint({ key: stranger }), mint({ audiences: ['billing'] })]);
        for (const token of tokens) await outcome(verify(token));
        for (const token of tokens) expectNoTokenText(bench.own.log.events, token);
      });

      it('leaves no timer behind', async () => {
        const before = bench.own.clock.pendingTimers;
        bench.verifier.start();
        await verify(await mint());
        await bench.verifier.close();
        expect(bench.own.clock.pendingTimers).toBeLessThanOrEqual(before);
      });
    });
  });
}
