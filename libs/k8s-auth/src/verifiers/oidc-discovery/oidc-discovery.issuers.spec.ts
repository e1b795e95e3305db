import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodePart } from '../../../testing/raw-token.fixture.js';
import {
  outcome,
  OWN_ACCOUNT,
  type OwnCluster,
  startOwnCluster,
} from '../../api-server/own-cluster.fixture.js';
import { until } from '../../http/https-server.fixture.js';
import { K8sAuthError } from '../../errors.js';
import { type Verifier } from '../verifier.js';
import { IssuerServer, json } from '../../keys/issuer-server.fixture.js';
import { OidcVerifiers } from './oidc-verifiers.fixture.js';

const UNAVAILABLE = 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE';
const SIGNATURE = 'ERR_K8S_AUTH_TOKEN_SIGNATURE';
const ISSUER = 'ERR_K8S_AUTH_TOKEN_ISSUER';
const ACCEPTED = 'system:serviceaccount:shop:checkout';
const MINUTE_MS = 60_000;

let own: OwnCluster;
let first: IssuerServer;
let second: IssuerServer;
let verifiers: OidcVerifiers;

beforeEach(async () => {
  own = await startOwnCluster();
  await own.cluster.createServiceAccount('shop', 'checkout');
  [first, second] = await Promise.all([IssuerServer.start(), IssuerServer.start()]);
  first.publish();
  second.publish();
  verifiers = new OidcVerifiers(own);
});

afterEach(async () => {
  await verifiers.close();
  await Promise.all([first.close(), second.close()]);
  await own.close();
});

const create: OidcVerifiers['create'] = (...args) => verifiers.create(...args);

async function result(verifier: Verifier, token: string): Promise<string> {
  const verdict = await outcome((async () => verifier.verify(token, ['orders']))());
  if (verdict instanceof K8sAuthError) return verdict.code;
  return (verdict as { principal: { username: string } }).principal.username;
}

const tokenOf = (server: IssuerServer, issuer = server.url, kid?: string) =>
  server.token(issuer, own.clock.wallMs() / 1000 + 86_400, kid);
const warnings = () => own.log.messages('warn').join('\n');

describe('oidc-discovery with keys read from several issuers directly', () => {
  /** Both servers have certificates of their own CAs. */
  async function bothCas(): Promise<string> {
    const caFile = join(first.folder, 'both.crt');
    await writeFile(caFile, first.ca + second.ca);
    return caFile;
  }

  const both = async (issuer = [first.url, second.url]) => create({ issuer, caFile: await bothCas() });

  it('verifies the tokens of each issuer with the keys of that issuer', async () => {
    const verifier = await both();
    expect(await result(verifier, tokenOf(first))).toBe(ACCEPTED);
    expect(await result(verifier, tokenOf(second))).toBe(ACCEPTED);
    expect(verifier.readiness()).toEqual({ status: 'ready' });
  });

  it('refuses a token of one issuer that is signed with the key of another issuer', async () => {
    const verifier = await both();
    expect(await result(verifier, tokenOf(second, first.url))).toBe(SIGNATURE);
    expect(await result(verifier, tokenOf(first, second.url))).toBe(SIGNATURE);
    expect(await result(verifier, tokenOf(first, 'https://third.example'))).toBe(ISSUER);
  });

  it('refuses a token signed with the key of another issuer even if both keys have the same kid', async () => {
    first.answers.set('/keys', json(first.keySet('same')));
    second.answers.set('/keys', json(second.keySet('same')));
    const verifier = await both();
    expect(await result(verifier, tokenOf(first, first.url, 'same'))).toBe(ACCEPTED);
    expect(await result(verifier, tokenOf(second, second.url, 'same'))).toBe(ACCEPTED);
    expect(await result(verifier, tokenOf(second, first.url, 'same'))).toBe(SIGNATURE);
    expect(await result(verifier, tokenOf(first, second.url, 'same'))).toBe(SIGNATURE);
  });

  it.each([
    ['the first', () => [first, second] as const],
    ['the last', () => [second, first] as const],
  ])('accepts tokens of the other issuers when %s is permanently unreachable', async (_, order) => {
    const [gone, there] = order();
    const issuer = [first.url, second.url];
    gone.answers.clear();
    const verifier = await both(issuer);
    verifier.start();
    expect(await result(verifier, tokenOf(there))).toBe(ACCEPTED);
    expect(await result(verifier, tokenOf(gone))).toBe(UNAVAILABLE);
    expect(await result(verifier, tokenOf(there, gone.url))).toBe(UNAVAILABLE);
    expect(verifier.readiness()).toEqual({ status: 'ready' });
    expect(own.log.events).toContainEqual(expect.objectContaining({ level: 'warn', issuer: gone.url }));
  });

  it('keeps the last good keys of an issuer that does not answer', async () => {
    const verifier = await both();
    expect(await result(verifier, tokenOf(first))).toBe(ACCEPTED);
    expect(await result(verifier, tokenOf(second))).toBe(ACCEPTED);
    first.answers.clear();
    for (let minutes = 0; minutes < 20; minutes++) await own.clock.advance(MINUTE_MS);
    expect(await result(verifier, tokenOf(first))).toBe(ACCEPTED);
    expect(await result(verifier, tokenOf(second))).toBe(ACCEPTED);
    expect(verifier.readiness()).toEqual({ status: 'ready' });
  });

  it('is not ready until one issuer has answered', async () => {
    first.answers.clear();
    second.answers.clear();
    const verifier = await both();
    expect(await result(verifier, tokenOf(first))).toBe(UNAVAILABLE);
    expect(verifier.readiness()).toMatchObject({ status: 'not-ready' });
  });
});

describe('oidc-discovery while the API server changes its issuer', () => {
  const clusterToken = () =>
    own.cluster.createToken({ namespace: 'shop', serviceAccount: 'checkout', audiences: ['orders'] });
  const apiServer = () => ({ url: own.cluster.url, caFile: own.cluster.caFile, tokenFile: own.tokenFile });
  const nameIssuer = (issuer: string) =>
    own.cluster.faults.set({
      on: 'discovery',
      fault: { kind: 'body', body: (honest) => ({ ...honest, issuer }) },
    });

  it.each([
    ['the new issuer first', (issuer: string) => ['https://next.example', issuer]],
    ['the new issuer last', (issuer: string) => [issuer, 'https://next.example']],
  ])('accepts tokens of all listed issuers, whichever one the API server names: %s', async (_, list) => {
    const issuer = list(own.cluster.issuer);
    const before = await create({ issuer, apiServer: apiServer() });
    expect(await result(before, await clusterToken())).toBe(ACCEPTED);
    // The API server is restarted, and a replica of this service after it.
    nameIssuer('https://next.example');
    await own.clock.advance(5 * MINUTE_MS);
    await own.cluster.requests.waitFor({ endpoint: 'jwks' }, 2);
    const after = await create({ issuer, apiServer: apiServer() });
    for (const verifier of [before, after]) {
      expect(await result(verifier, await clusterToken())).toBe(ACCEPTED);
      await until(() => verifier.readiness().status === 'ready');
    }
    expect(own.log.messages('warn')).toEqual([]);
  });

  it('accepts tokens of all listed issuers when the API server is found without the option apiServer', async () => {
    const issuer = ['https://next.example', own.cluster.issuer];
    const kubeconfig = { KUBECONFIG: await own.cluster.writeKubeconfig({ serviceAccount: OWN_ACCOUNT }) };
    nameIssuer('https://next.example');
    const verifier = await create({ issuer }, kubeconfig);
    verifier.start();
    expect(await result(verifier, await clusterToken())).toBe(ACCEPTED);
    // Not once for each issuer.
    expect(own.cluster.requests.count()).toBe(2);
  });

  it('has no keys while the API server names an issuer that is not listed', async () => {
    nameIssuer('https://other.example');
    const verifier = await create({
      issuer: [own.cluster.issuer, 'https://next.example'],
      apiServer: apiServer(),
    });
    expect(await result(verifier, await clusterToken())).toBe(UNAVAILABLE);
    expect(warnings()).toContain(
      `issuer metadata: expected issuer ${own.cluster.issuer} or https://next.example, got https://other.example`,
    );
  });
});

describe('oidc-discovery without an issuer, and with a credential that does not name the issuer', () => {
  const METADATA = '/.well-known/openid-configuration';
  const jwt = (claims: object) => `${encodePart({ alg: 'RS256' })}.${encodePart(claims)}.c2ln`;
  const credentials: [string, string][] = [
    [
      'a cloud login',
      jwt({ iss: 'https://accounts.google.com', sub: '1234', aud: 'https://accounts.google.com' }),
    ],
    ['a token without iss', jwt({ sub: 'system:serviceaccount:shop:orders' })],
    [
      'a token of a Secret',
      jwt({ iss: 'kubernetes/serviceaccount', sub: 'system:serviceaccount:shop:orders' }),
    ],
    ['an opaque token', 'kubeconfig-user-x7k2p:secret'],
  ];

  async function withCredential(token: string): Promise<Verifier> {
    const tokenFile = join(first.folder, 'token');
    await writeFile(tokenFile, token);
    return create({ apiServer: { url: first.url, caFile: first.caFile, tokenFile } });
  }

  it.each(credentials)("uses the issuer in the API server's metadata: %s", async (_, credential) => {
    first.publish({ issuer: 'https://cluster.example', jwksUri: 'https://10.0.0.1:6443/openid/v1/jwks' });
    first.answers.set('/openid/v1/jwks', json(first.keySet()));
    const verifier = await withCredential(credential);
    expect(await verifier.apiServerAudiences?.()).toBeUndefined();
    expect(await result(verifier, tokenOf(first, 'https://cluster.example'))).toBe(ACCEPTED);
    expect(await result(verifier, tokenOf(first, 'https://accounts.google.com'))).toBe(ISSUER);
    expect(await result(verifier, tokenOf(first, 'kubernetes/serviceaccount'))).toBe(ISSUER);
    expect(await verifier.apiServerAudiences?.()).toContain('https://cluster.example');
    expect(first.requests).toEqual(
      [METADATA, '/openid/v1/jwks'].map((path) => ({ path, authorization: `Bearer ${credential}` })),
    );
  });

  it.each(credentials)('names option issuer when the metadata cannot be read: %s', async (_, credential) => {
    first.answers.clear();
    const verifier = await withCredential(credential);
    expect(await result(verifier, tokenOf(first, 'https://cluster.example'))).toBe(UNAVAILABLE);
    expect(warnings()).toContain(
      "issuer metadata: expected status 200, got 404; option 'issuer' names the issuer",
    );
    expect(JSON.stringify(own.log.events)).not.toContain(credential);
  });

  it('names option issuer when jwksUri is set, so metadata are not read', async () => {
    const tokenFile = join(first.folder, 'token');
    await writeFile(tokenFile, 'sha256~opaque');
    const apiServer = { url: first.url, caFile: first.caFile, tokenFile };
    const verifier = await create({ apiServer, jwksUri: `${first.url}/keys` });
    expect(await result(verifier, tokenOf(first))).toBe(UNAVAILABLE);
    expect(warnings()).toContain("option 'issuer': is required");
    expect(first.requests).toEqual([]);
  });

  it('uses the issuer of the own token when it is a ServiceAccount token', async () => {
    first.publish({ issuer: 'https://cluster.example' });
    const verifier = await withCredential(
      jwt({ iss: 'https://own.example', sub: 'system:serviceaccount:shop:orders' }),
    );
    expect(await result(verifier, tokenOf(first, 'https://cluster.example'))).toBe(UNAVAILABLE);
    expect(warnings()).toContain(
      "expected issuer https://own.example, got https://cluster.example; option 'issuer' names the issuer",
    );
  });
});
