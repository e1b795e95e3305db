import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeProtectedHeader } from 'jose';
import { codeBlocks } from '../docs/code-blocks.js';
import { Cluster, providerCan } from './support/cluster.fixture.js';
import { Deployment } from './support/deployment.fixture.js';
import { LogStream } from './support/log-stream.fixture.js';
import { measured } from './support/measured.fixture.js';
import { answeredAt, type Probe, Prober } from './support/prober.fixture.js';
import { requestFromPod } from './support/request.fixture.js';
import { createToken, signedByStranger } from './support/tokens.fixture.js';

/** One service2 for each verifier, side by side. */
const SERVICES = {
  tokenreview: 'service2-tokenreview',
  'jwt-pubkey': 'service2-jwt-pubkey',
  'oidc-discovery': 'service2',
};
type Kind = keyof typeof SERVICES;
const KINDS = Object.keys(SERVICES) as Kind[];
const CLIENTS = ['service1', 'service1-tokenreview', 'service1-jwt-pubkey'];
/** The least time between two key fetches of oidc-discovery. */
const COOLDOWN_MS = 10_000;
/** Keys are fetched at most once in 10 s, plus the time of the fetch. */
const NEW_KEY_WITHIN_MS = 12_000;
/** service2 reads its key files every 10 s; the kubelet updates them when it next syncs the pod. */
const NEW_FILE_WITHIN_MS = 15_000;
const KNOWN = 'hello system:serviceaccount:mytest:default';
const OWN_CREDENTIAL_REFUSED = /API server refuses our own credential \(401\)/;

const canRotate = await providerCan('rotate-signing-key');
const describeIfPossible = canRotate ? describe : describe.skip;
const unless = canRotate ? '' : ' (skipped: this provider cannot change keys)';

describeIfPossible(`The keys that sign the ServiceAccount tokens of my cluster change${unless}`, () => {
  let cluster: Cluster;
  let deployment: Deployment;
  let watcher: Prober;
  let deployedAt: number;

  beforeAll(async () => {
    cluster = await Cluster.up('rotation');
    await cluster.loadImages();
    deployment = await Deployment.of(cluster, 'oidc-discovery');
    await Promise.all([deployment.beside('tokenreview'), deployment.beside('jwt-pubkey')]);
    deployedAt = Date.now();
    watcher = await Prober.start(cluster, {
      name: 'watcher',
      url: 'https://kubernetes.default.svc/readyz',
      intervalMs: 100,
    });
  }, 180_000);
  afterAll(() => cluster.down());

  const tokenForService2 = () => createToken(cluster, { audience: 'service2' });
  const request = (kind: Kind, token: string) => requestFromPod(cluster, { token, service: SERVICES[kind] });

  function startProbers(name: string, credential: { audience: string } | { token: string }) {
    return Promise.all(
      KINDS.map((kind) =>
        Prober.start(cluster, {
          ...credential,
          name: `${name}-of-${kind}`,
          url: `http://${SERVICES[kind]}.mytest.svc`,
        }),
      ),
    );
  }

  /** For each verifier, the results of its prober so far. */
  async function seenBy(probers: readonly Prober[]): Promise<Record<Kind, Probe[]>> {
    const seen = {} as Record<Kind, Probe[]>;
    for (const [index, kind] of KINDS.entries()) seen[kind] = (await probers[index]?.probes()) ?? [];
    return seen;
  }

  /** When the API server stopped and was reachable again, as seen by pods; it restarts for new keys. */
  async function rotate(...options: string[]): Promise<{ wentAt: number; cameBackAt: number }> {
    const before = Date.now();
    await cluster.provider('rotate-signing-key', ...options);
    const watched = (await watcher.probes()).filter(({ at }) => at >= before);
    const wentAt = watched.find(({ status }) => status !== 200)?.at ?? NaN;
    const cameBackAt = answeredAt(watched.find(({ at, status }) => status === 200 && at > wentAt));
    measured('the API server was away for its new key for', cameBackAt - wentAt);
    return { wentAt, cameBackAt };
  }

  /** How long it takes until the token is accepted. Until then it is refused for its signature. */
  async function accepted(kind: Kind, token: string, since: number, withinMs: number): Promise<number> {
    for (;;) {
      const answer = await request(kind, token);
      const afterMs = Date.now() - since;
      if (answer.status === 200) return afterMs;
      expect(answer).toMatchObject({ status: 401, challenge: 'Bearer error="invalid_token"' });
      expect(afterMs).toBeLessThan(withinMs);
    }
  }

  describe('A new key signs at once, and the old key stays valid', () => {
    let callers: Prober[];
    let oldToken: string;
    let newToken: string;
    let wentAt: number;
    let cameBackAt: number;

    beforeAll(async () => {
      callers = await startProbers('caller', { audience: 'service2' });
      oldToken = await tokenForService2();
      // The worst moment for a new key: oidc-discovery has just fetched keys for an unknown kid.
      await setTimeout(Math.max(0, deployedAt + COOLDOWN_MS - Date.now()));
      await request('oidc-discovery', await signedByStranger(oldToken));
      ({ wentAt, cameBackAt } = await rotate());
      newToken = await tokenForService2();
    });

    it('new tokens are signed with the new key', () => {
      expect(decodeProtectedHeader(newToken).kid).not.toBe(decodeProtectedHeader(oldToken).kid);
    });

    it('tokenreview accepts the new key at once', async () => {
      expect(await request('tokenreview', newToken)).toMatchObject({ status: 200 });
    });

    it('oidc-discovery accepts the new key within 12 s, even at the worst moment', async () => {
      const afterMs = await accepted('oidc-discovery', newToken, cameBackAt, NEW_KEY_WITHIN_MS);
      measured('oidc-discovery took the new key, after the API server was back, by', afterMs);
      expect(afterMs).toBeLessThanOrEqual(NEW_KEY_WITHIN_MS);
    });

    it('jwt-pubkey accepts the new key when its file has it, and refuses it before', async () => {
      expect(await request('jwt-pubkey', newToken)).toMatchObject({ status: 401 });
      expect(await deployment.log(SERVICES['jwt-pubkey'])).toContain('ERR_K8S_AUTH_TOKEN_SIGNATURE');
      await publishKeysNow();
      const afterMs = await accepted('jwt-pubkey', newToken, Date.now(), NEW_FILE_WITHIN_MS);
      measured('jwt-pubkey took the new key, after it was published, by', afterMs);
    });

    it('no call with a token of the old key is refused', async () => {
      const { tokenreview, ...local } = await seenBy(callers);
      for (const probes of Object.values(local)) {
        expect(probes.filter(({ at }) => at > wentAt).length).toBeGreaterThan(50);
        expect(probes.filter(({ status }) => status !== 200)).toEqual([]);
      }
      // tokenreview answers 503 while the API server is unreachable.
      const failed = tokenreview.filter(({ status }) => status !== 200);
      process.stdout.write(`measured: tokenreview, 503s while the API server restarted: ${failed.length}\n`);
      for (const probe of failed) {
        expect(probe).toMatchObject({
          status: 503,
          challenge: null,
          retryAfter: expect.stringMatching(/^\d+$/),
        });
        expect(answeredAt(probe)).toBeGreaterThan(wentAt);
        expect(probe.at).toBeLessThan(cameBackAt);
      }
    });

    /** By both commands of k8s/README.md: without the annotation the kubelet may take a minute or two. */
    async function publishKeysNow(): Promise<void> {
      await deployment.publishKeys();
      const command = codeBlocks('k8s/README.md', 'sh').find((block) => block.includes('annotate pods'));
      await cluster.shell((command ?? 'false').replace('=service2 ', `=${SERVICES['jwt-pubkey']} `));
    }
  });

  describe('The old keys are dropped, so the token of every running pod becomes invalid', () => {
    let newcomers: Prober[];
    let oldToken: string;
    let newToken: string;
    let cameBackAt: number;
    let deletedAt: number;
    let healedAt: number;

    beforeAll(async () => {
      oldToken = await tokenForService2();
      ({ cameBackAt } = await rotate('--drop-old'));
      newToken = await tokenForService2();
      newcomers = await startProbers('newcomer', { token: newToken });
    });

    it.each(['tokenreview', 'oidc-discovery'] as const)(
      'service2 with %s logs that its own credential is refused, and answers 503',
      async (kind) => {
        const line = await LogStream.lineOf(cluster, `deployment/${SERVICES[kind]}`, OWN_CREDENTIAL_REFUSED);
        expect(line).toContain('ERR_K8S_AUTH_VERIFIER_UNAVAILABLE');
        for (const token of [newToken, await signedByStranger(newToken)]) {
          const answer = await request(kind, token);
          expect(answer).toMatchObject({ status: 503, challenge: null });
          expect(Number(answer.retryAfter)).toBeGreaterThanOrEqual(1);
        }
      },
    );

    it('service2 with jwt-pubkey refuses tokens of the new key', async () => {
      expect(await request('jwt-pubkey', newToken)).toMatchObject({ status: 401 });
    });

    it('jwt-pubkey accepts the new key once its key file is updated and the pods are restarted', async () => {
      await deployment.publishKeys();
      const names = [...CLIENTS, ...Object.values(SERVICES)].join(',');
      deletedAt = Date.now();
      await deployment.kubectl('delete', 'pods', '--selector', `app.kubernetes.io/name in (${names})`);
      for (const client of CLIENTS) {
        expect(await deployment.firstSuccess(client)).toContain(KNOWN);
      }
      healedAt = Date.now();
      measured('all pods were deleted, and clients knew it no more after', healedAt - deletedAt);
    });

    it.each(KINDS)('service2 with %s refuses tokens of a dropped key', async (kind) => {
      expect(await request(kind, oldToken)).toMatchObject({
        status: 401,
        challenge: 'Bearer error="invalid_token"',
      });
      expect(await deployment.log(SERVICES[kind])).toMatch(/ERR_K8S_AUTH_TOKEN_(SIGNATURE|REJECTED)/);
    });

    it.each(KINDS)(
      '%s accepts no invalid token during the rotation, and refuses no valid token afterwards',
      async (kind) => {
        const probes = (await seenBy(newcomers))[kind];
        const firstGood = probes.find(({ status }) => status === 200);
        measured(`${kind}: callers with a new token were kept out for`, answeredAt(firstGood) - cameBackAt);
        const undecided = kind === 'jwt-pubkey' ? 401 : 503;
        const before = probes.filter((probe) => answeredAt(probe) < deletedAt);
        expect(new Set(before.map(({ status }) => status))).toEqual(new Set([undecided]));
        const after = probes.filter(({ at }) => at > healedAt);
        expect(after.length).toBeGreaterThan(0);
        expect(after.filter(({ status, body }) => status !== 200 || !body.includes(KNOWN))).toEqual([]);
      },
    );
  });
});
