import { isIP } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { codeBlocks } from '../docs/code-blocks.js';
import { Cluster, providerCan } from './support/cluster.fixture.js';
import { Deployment } from './support/deployment.fixture.js';
import { LogStream } from './support/log-stream.fixture.js';
import { createToken } from './support/tokens.fixture.js';

const SUCCESS = "status=200, response: 'hello system:serviceaccount:mytest:default'";
/** The issuer in components/verifier-jwt-pubkey. */
const USUAL = 'https://kubernetes.default.svc.cluster.local';

const canIssue = await providerCan('up', '--issuer');
const describeIfPossible = canIssue ? describe : describe.skip;
const unless = canIssue ? '' : ' (skipped: this provider has no `up --issuer`)';

describeIfPossible.each([USUAL, 'https://kubernetes.default.svc'])(
  `My cluster calls itself %s${unless}`,
  (issuer) => {
    let cluster: Cluster;
    let deployment: Deployment;

    beforeAll(async () => {
      cluster = await Cluster.up('issuer', '--issuer', issuer);
      await cluster.loadImages();
      deployment = await Deployment.of(cluster, 'jwt-pubkey');
      await deployment.beside('oidc-discovery');
    });
    afterAll(() => cluster.down());

    it('the jwks_uri in the discovery document of the API server has the address of a node', async () => {
      const token = decodeJwt(await createToken(cluster, { audience: 'service2' }));
      const metadata = await cluster.metadata();
      expect([token.iss, metadata.issuer]).toEqual([issuer, issuer]);
      expect(isIP(new URL(metadata.jwks_uri).hostname)).toBeGreaterThan(0);
    });

    it('oidc-discovery works without an option for the issuer', async () => {
      expect(await deployment.firstSuccess('service1-oidc-discovery')).toContain(SUCCESS);
    });

    const itIfPossible = issuer === USUAL ? it.skip : it;
    itIfPossible('jwt-pubkey says in its log which issuer its overlay should have', async () => {
      const line = await LogStream.lineOf(cluster, 'deployment/service2', /ERR_K8S_AUTH_TOKEN_ISSUER/);
      expect(line).toContain(`"iss" claim: expected ${USUAL}, got ${issuer}`);
    });

    it('jwt-pubkey accepts callers once the command of k8s/README.md has set the issuer', async () => {
      const command = codeBlocks('k8s/README.md', 'sh').find((block) => block.includes('K8S_AUTH_ISSUER'));
      await cluster.shell(command ?? 'false');
      await deployment.rolledOut('service2');
      expect(await deployment.firstSuccess()).toContain(SUCCESS);
    });
  },
);
