import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { Cluster, providerCan } from './support/cluster.fixture.js';
import { Deployment } from './support/deployment.fixture.js';
import { requestFromPod } from './support/request.fixture.js';
import { createToken, reviewToken } from './support/tokens.fixture.js';

const OVERLAYS = ['tokenreview', 'jwt-pubkey', 'oidc-discovery', 'hybrid'] as const;
type Kind = (typeof OVERLAYS)[number];
const NAME = 'system:serviceaccount:mytest:default';

const canIssue = await providerCan('up', '--issuer');
const describeIfPossible = canIssue ? describe : describe.skip;
const unless = canIssue ? '' : ' (skipped: this provider has no `up --issuer`)';

const cluster = Cluster.given();
// Only the API server of the other cluster is needed.
const light = (await providerCan('up', '--control-plane-only')) ? ['--control-plane-only'] : [];

describeIfPossible(`I have two clusters, each with a ServiceAccount mytest/default${unless}`, () => {
  let deployment: Deployment;

  beforeAll(async () => {
    deployment = await Deployment.of(cluster, 'tokenreview');
    await Promise.all(OVERLAYS.slice(1).map((overlay) => deployment.beside(overlay)));
  });
  afterAll(() => deployment?.remove());

  describe.each([
    {
      what: 'has another issuer',
      name: 'elsewhere',
      issuer: () => 'https://kubernetes.elsewhere.example',
      // The API server gives no more detail.
      codes: {
        tokenreview: 'REJECTED',
        'jwt-pubkey': 'ISSUER',
        'oidc-discovery': 'ISSUER',
        hybrid: 'ISSUER',
      },
    },
    {
      what: 'has the same issuer, and another key',
      name: 'twin',
      issuer: issuerOfMine,
      codes: {
        tokenreview: 'REJECTED',
        'jwt-pubkey': 'SIGNATURE',
        'oidc-discovery': 'SIGNATURE',
        hybrid: 'SIGNATURE',
      },
    },
  ] satisfies Other[])('Another cluster that $what', ({ name, issuer, codes }) => {
    let other: Cluster;
    let token: string;

    beforeAll(async () => {
      other = await Cluster.up(name, '--issuer', await issuer(), ...light);
      await other.kubectl('create', 'namespace', 'mytest');
      await other.kubectl('wait', '--for=create', '--namespace=mytest', 'serviceaccount/default');
      token = await createToken(other, { audience: 'service2' });
    });
    afterAll(() => other.down());

    it('the token of the other cluster is accepted there as mytest/default', async () => {
      expect(await reviewToken(other, token, 'service2')).toBe(NAME);
    });

    it('the token of my cluster is accepted in my cluster', async () => {
      const mine = await createToken(cluster, { audience: 'service2' });
      expect(decodeJwt(token)).toMatchObject({ iss: await issuer(), sub: decodeJwt(mine).sub });
      expect(decodeProtectedHeader(token).kid).not.toBe(decodeProtectedHeader(mine).kid);
      for (const kind of OVERLAYS) {
        expect(await requestFromPod(cluster, { token: mine, service: serviceOf(kind) })).toMatchObject({
          status: 200,
          body: `hello ${NAME}`,
        });
      }
    });

    it.each(OVERLAYS)(
      'service2 of my cluster, with %s, refuses the token of the other cluster',
      async (kind) => {
        const service = serviceOf(kind);
        const answer = await requestFromPod(cluster, { token, service });
        expect(answer).toMatchObject({ status: 401, challenge: 'Bearer error="invalid_token"' });
        const log = (await deployment.log(service)).split('\n');
        const line = log.find((entry) => entry.includes(`JTI=${decodeJwt(token).jti}`));
        expect(line).toContain(`ERR_K8S_AUTH_TOKEN_${codes[kind]}`);
      },
    );

    it('the other cluster refuses the token of my cluster', async () => {
      const mine = await createToken(cluster, { audience: 'service2' });
      expect(await reviewToken(other, mine, 'service2')).toBeUndefined();
    });
  });
});

interface Other {
  readonly what: string;
  readonly name: string;
  readonly issuer: () => string | Promise<string>;
  readonly codes: Record<Kind, string>;
}

function serviceOf(kind: Kind): string {
  return kind === 'tokenreview' ? 'service2' : `service2-${kind}`;
}

async function issuerOfMine(): Promise<string> {
  return (await cluster.metadata()).issuer;
}
