import { type RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CertificateAuthority } from '../../../testing/local-cluster/certificates.js';
import { outcome, type OwnCluster, startOwnCluster } from '../../api-server/own-cluster.fixture.js';
import { K8sAuthError } from '../../errors.js';
import { type Verifier } from '../verifier.js';
import { IssuerServer, json } from '../../keys/issuer-server.fixture.js';
import { type OidcDiscoveryOptions } from './oidc-discovery.definition.js';
import { OidcVerifiers } from './oidc-verifiers.fixture.js';

const METADATA = '/.well-known/openid-configuration';
const UNAVAILABLE = 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE';
const ACCEPTED = 'system:serviceaccount:shop:checkout';

let own: OwnCluster;
let server: IssuerServer;
let verifiers: OidcVerifiers;

beforeEach(async () => {
  own = await startOwnCluster();
  server = await IssuerServer.start();
  server.publish();
  verifiers = new OidcVerifiers(own);
});

afterEach(async () => {
  await verifiers.close();
  await server.close();
  await own.close();
});

async function result(verifier: Verifier, token: string): Promise<string> {
  const verdict = await outcome((async () => verifier.verify(token, ['orders']))());
  if (verdict instanceof K8sAuthError) return verdict.code;
  return (verdict as { principal: { username: string } }).principal.username;
}

const direct = (more: Omit<OidcDiscoveryOptions, 'kind'> = {}) =>
  verifiers.create({ issuer: server.url, caFile: server.caFile, ...more });
const serverToken = (issuer = server.url) => server.token(issuer, own.clock.wallMs() / 1000 + 600);
const warnings = () => own.log.messages('warn').join('\n');

describe('oidc-discovery locates the keys of an issuer', () => {
  it.each(['/cluster', '/cluster/'])('reads the metadata below an issuer with the path %s', async (path) => {
    const issuer = server.url + path;
    server.publish({ issuer, path: '/cluster' });
    expect(await result(await direct({ issuer }), serverToken(issuer))).toBe(ACCEPTED);
  });

  it('reads the keys at the issuer when the metadata name the address of an API server', async () => {
    server.publish({ jwksUri: 'https://10.0.0.1:6443/openid/v1/jwks' });
    server.answers.set('/openid/v1/jwks', json(server.keySet()));
    expect(await result(await direct(), serverToken())).toBe(ACCEPTED);
    expect(server.paths()).toEqual([METADATA, '/openid/v1/jwks']);
  });

  it('trusts an issuer whose CA file holds only an intermediate CA', async () => {
    const root = await CertificateAuthority.create();
    const behind = await IssuerServer.start(await root.issueAuthority());
    behind.publish();
    const verifier = await direct({ issuer: behind.url, caFile: behind.caFile });
    expect(await result(verifier, behind.token(behind.url, own.clock.wallMs() / 1000 + 600))).toBe(ACCEPTED);
    await behind.close();
  });

  it('never reads the keys at another origin that the metadata name', async () => {
    server.publish({ jwksUri: `${own.cluster.url}/keys` });
    expect(await result(await direct(), serverToken())).toBe(UNAVAILABLE);
    expect(own.cluster.requests.connections).toBe(0);
    expect(warnings()).toContain("option 'jwksUri'");
  });

  it('never trusts the keys of another cluster at the root of a host that serves several', async () => {
    const issuer = `${server.url}/cluster-a`;
    const other = await IssuerServer.start();
    server.publish({ issuer, path: '/cluster-a', jwksUri: 'https://10.0.0.1:6443/openid/v1/jwks' });
    server.answers.set('/openid/v1/jwks', json(other.keySet()));
    const verifier = await direct({ issuer });
    const forged = other.token(issuer, own.clock.wallMs() / 1000 + 600);
    expect(await result(verifier, forged)).toBe(UNAVAILABLE);
    expect(warnings()).toContain("option 'jwksUri'");
    server.answers.set('/cluster-a/openid/v1/jwks', json(server.keySet()));
    await own.clock.advance(10_000);
    expect(await result(verifier, serverToken(issuer))).toBe(ACCEPTED);
    expect(await result(verifier, forged)).toBe('ERR_K8S_AUTH_TOKEN_SIGNATURE');
    expect(server.paths()).not.toContain('/openid/v1/jwks');
    await other.close();
  });
});

describe('oidc-discovery and documents', () => {
  it.each([
    ['a redirect', { location: '/elsewhere' }, 302],
    ['said to be compressed', { 'content-encoding': 'gzip' }, 200],
  ])('refuses metadata that are %s', async (_, headers, status) => {
    server.answers.set(METADATA, (_request, response) => {
      response.writeHead(status, headers).end(JSON.stringify({ issuer: server.url, jwks_uri: server.url }));
    });
    expect(await result(await direct(), serverToken())).toBe(UNAVAILABLE);
    expect(server.paths()).toEqual([METADATA]);
  });

  it('refuses a compressed key set, and logs that', async () => {
    const keys = Buffer.from(JSON.stringify(server.keySet()));
    const asked: unknown[] = [];
    server.answers.set('/keys', ({ headers }, response) => {
      asked.push(headers['accept-encoding']);
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(keys));
    });
    expect(await result(await direct(), serverToken())).toBe(UNAVAILABLE);
    expect(asked).toEqual(['identity']);
    expect(warnings()).toContain('key set: expected no content encoding, got gzip');
  });

  it.each(['binary/octet-stream', 'text/plain', 'application/json;charset=utf-8', undefined])(
    'reads a document served as %s that begins with a byte order mark',
    async (type) => {
      const asObject = (document: object): RequestListener => {
        const headers = type === undefined ? {} : { 'content-type': type };
        return (_, response) => response.writeHead(200, headers).end(`\uFEFF${JSON.stringify(document)}`);
      };
      server.answers.set(METADATA, asObject({ issuer: server.url, jwks_uri: `${server.url}/keys` }));
      server.answers.set('/keys', asObject(server.keySet()));
      expect(await result(await direct(), serverToken())).toBe(ACCEPTED);
    },
  );
});
