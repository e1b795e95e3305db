import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  outcome,
  OWN_ACCOUNT,
  type OwnCluster,
  startOwnCluster,
} from '../../api-server/own-cluster.fixture.js';
import { ConfigurationError, K8sAuthError } from '../../errors.js';
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
  await own.cluster.createServiceAccount('shop', 'checkout');
  server = await IssuerServer.start();
  server.publish();
  verifiers = new OidcVerifiers(own);
});

afterEach(async () => {
  await verifiers.close();
  await server.close();
  await own.close();
});

type Options = Omit<OidcDiscoveryOptions, 'kind'>;

const create: OidcVerifiers['create'] = (...args) => verifiers.create(...args);

async function result(verifier: Verifier, token: string): Promise<string> {
  const verdict = await outcome((async () => verifier.verify(token, ['orders']))());
  if (verdict instanceof K8sAuthError) return verdict.code;
  return (verdict as { principal: { username: string } }).principal.username;
}

const clusterToken = () =>
  own.cluster.createToken({ namespace: 'shop', serviceAccount: 'checkout', audiences: ['orders'] });
const serverToken = (issuer = server.url) => server.token(issuer, own.clock.wallMs() / 1000 + 600);
const apiServer = () => ({ url: own.cluster.url, caFile: own.cluster.caFile, tokenFile: own.tokenFile });
const kubeconfig = async (serviceAccount?: string) => ({
  KUBECONFIG: await own.cluster.writeKubeconfig(serviceAccount === undefined ? {} : { serviceAccount }),
});
const asked = () => own.cluster.requests.list().map(({ path, user }) => `${path} as ${user}`);
const OWN_REQUESTS = ['/.well-known/openid-configuration', '/openid/v1/jwks'].map(
  (path) => `${path} as system:serviceaccount:shop:orders`,
);
const warnings = () => own.log.messages('warn').join('\n');

describe('oidc-discovery and keys of the API server', () => {
  it('reads them with option apiServer, whatever the issuer', async () => {
    const verifier = await create({ apiServer: apiServer(), issuer: own.cluster.issuer });
    expect(await result(verifier, await clusterToken())).toBe(ACCEPTED);
    expect(asked()).toEqual(OWN_REQUESTS);
  });

  it('reads them without option issuer, and uses the issuer of its own token', async () => {
    const verifier = await create({}, await kubeconfig(OWN_ACCOUNT));
    expect(await result(verifier, await clusterToken())).toBe(ACCEPTED);
    expect(await result(verifier, serverToken())).toBe('ERR_K8S_AUTH_TOKEN_ISSUER');
    expect(asked()).toEqual(OWN_REQUESTS);
  });

  it('reads them without option issuer and own token, and uses the issuer in the metadata', async () => {
    const verifier = await create({}, await kubeconfig());
    expect(await result(verifier, await clusterToken())).toBe(ACCEPTED);
  });

  it('reads them when option issuer equals the issuer of its own token', async () => {
    const issuer = ['https://next.example', own.cluster.issuer];
    own.cluster.faults.set({
      on: 'discovery',
      fault: { kind: 'body', body: asIssuer('https://next.example') },
    });
    const verifier = await create({ issuer }, await kubeconfig(OWN_ACCOUNT));
    expect(await result(verifier, await clusterToken())).toBe(ACCEPTED);
    expect(asked()).toEqual(OWN_REQUESTS);
  });

  it('reads them only at the API server, even when its metadata name another server', async () => {
    const body = (honest: object) => ({ ...honest, jwks_uri: `${server.url}/keys` });
    own.cluster.faults.set({ on: 'discovery', fault: { kind: 'body', body } });
    const verifier = await create({ apiServer: apiServer() });
    expect(await result(verifier, await clusterToken())).toBe(ACCEPTED);
    expect(server.requests).toEqual([]);
  });

  it.each(['https://kubernetes.default.svc', 'HTTPS://kubernetes.default.svc.cluster.local'])(
    'refuses metadata that name the issuer %j',
    async (issuer) => {
      own.cluster.faults.set({ on: 'discovery', fault: { kind: 'body', body: asIssuer(issuer) } });
      const verifier = await create({ apiServer: apiServer() });
      expect(await result(verifier, await clusterToken())).toBe(UNAVAILABLE);
      expect(own.cluster.requests.count({ endpoint: 'jwks' })).toBe(0);
      expect(warnings()).toContain(`issuer metadata: expected issuer ${own.cluster.issuer}, got ${issuer}`);
    },
  );

  it('warns about a missing right by its name', async () => {
    own.cluster.revoke('read discovery', OWN_ACCOUNT);
    const verifier = await create({ apiServer: apiServer() });
    expect(await result(verifier, await clusterToken())).toBe(UNAVAILABLE);
    expect(verifier.readiness()).toMatchObject({ status: 'not-ready' });
    expect(own.log.messages('error').join()).toContain(
      'no ClusterRoleBinding grants the ClusterRole system:service-account-issuer-discovery to system:serviceaccount:shop:orders',
    );
    own.cluster.grant('read discovery', OWN_ACCOUNT);
    verifier.start();
    await own.clock.advance(10_500);
    await own.cluster.requests.waitFor({ endpoint: 'jwks', status: 200 });
    expect(await result(verifier, await clusterToken())).toBe(ACCEPTED);
  });

  it('starts without its own token, and reads them once the token exists', async () => {
    await rm(own.tokenFile, { force: true });
    const verifier = await create({ apiServer: apiServer() });
    expect(await result(verifier, await clusterToken())).toBe(UNAVAILABLE);
  });
});

describe('oidc-discovery and keys of the issuer', () => {
  const direct = (more: Options = {}) => create({ issuer: server.url, caFile: server.caFile, ...more });

  it('reads them without a credential when option issuer differs from the issuer of its own token', async () => {
    const options = { issuer: server.url, caFile: server.caFile };
    const verifier = await create(options, await kubeconfig(OWN_ACCOUNT));
    expect(await result(verifier, serverToken())).toBe(ACCEPTED);
    expect(server.requests).toEqual([
      { path: METADATA, authorization: undefined },
      { path: '/keys', authorization: undefined },
    ]);
    expect(own.cluster.requests.count()).toBe(0);
  });

  it('reads them when no API server is configured', async () => {
    const options = { issuer: server.url, caFile: server.caFile };
    const verifier = await create(options, { KUBECONFIG: '/nonexistent/config', HOME: '/nonexistent' });
    expect(await result(verifier, serverToken())).toBe(ACCEPTED);
    expect(warnings()).toContain('API server cannot be used, keys are read from the issuer');
  });

  it.each([{ issuer: 'https://other.example' }, { jwksUri: 'keys' }])(
    'refuses metadata that publish %j',
    async (published) => {
      server.publish(published);
      expect(await result(await direct(), serverToken())).toBe(UNAVAILABLE);
      expect(server.paths()).toEqual([METADATA]);
    },
  );

  it.each([{}, { issuer: 5 }])(
    'refuses metadata without a valid issuer or jwks_uri: %j',
    async (document) => {
      server.answers.set(METADATA, json(document));
      expect(await result(await direct(), serverToken())).toBe(UNAVAILABLE);
    },
  );

  it('reads them only from a server with a certificate of the configured CA', async () => {
    expect(await result(await direct({ caFile: own.cluster.caFile }), serverToken())).toBe(UNAVAILABLE);
    expect(server.requests).toEqual([]);
  });
});

describe('oidc-discovery with jwksUri', () => {
  it('does not request metadata', async () => {
    const options = {
      issuer: 'kubernetes.default.svc',
      caFile: server.caFile,
      jwksUri: `${server.url}/keys`,
    };
    expect(await result(await create(options), serverToken(options.issuer))).toBe(ACCEPTED);
    expect(server.paths()).toEqual(['/keys']);
  });

  it('sends its own token only to the API server', async () => {
    const elsewhere = { caFile: server.caFile, jwksUri: `${server.url}/keys` };
    const verifier = await create({ apiServer: apiServer(), ...elsewhere });
    expect(await result(verifier, serverToken(own.cluster.issuer))).toBe(ACCEPTED);
    expect(server.requests).toEqual([{ path: '/keys', authorization: undefined }]);
    expect(own.cluster.requests.count()).toBe(0);

    const jwksUri = `${own.cluster.url}/openid/v1/jwks?timeout=1`;
    const atHome = await create({ apiServer: apiServer(), jwksUri });
    expect(await result(atHome, await clusterToken())).toBe(ACCEPTED);
    expect(asked()).toEqual(OWN_REQUESTS.slice(1));
  });

  it.each(['https://kubernetes.default.svc', 'https://kubernetes.default.svc.cluster.local'])(
    "recognises the pod's API server by its name %s, and reads the keys at its address",
    async (name) => {
      const { hostname, port } = new URL(own.cluster.url);
      const inPod = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
      const jwksUri = `${name}/openid/v1/jwks`;
      const verifier = await create({ apiServer: apiServer(), jwksUri }, inPod);
      expect(await result(verifier, await clusterToken())).toBe(ACCEPTED);
      expect(asked()).toEqual(OWN_REQUESTS.slice(1));
    },
  );

  it('requires option issuer when the own credential names no issuer', async () => {
    const verifier = await create({ jwksUri: `${server.url}/keys` }, await kubeconfig());
    expect(await result(verifier, await clusterToken())).toBe(UNAVAILABLE);
    expect(warnings()).toContain("option 'issuer': is required, because our own credential names no issuer");
  });
});

describe('oidc-discovery fails startup', () => {
  it.each<[string, Options, string]>([
    ['with nothing to read from', {}, "option 'apiServer'"],
    ['with an issuer that cannot be read', { issuer: 'kubernetes/serviceaccount' }, "option 'issuer'"],
    ['with an issuer in the clear', { issuer: 'http://issuer.example' }, "option 'issuer'"],
    ['with one such in a list', { issuer: ['https://a.example', 'http://b.example'] }, "option 'issuer'"],
    ['with an issuer that has a query', { issuer: 'https://issuer.example?a=1' }, "option 'issuer'"],
    [
      'without the CA it was told of',
      { issuer: 'https://a.example', caFile: '/nonexistent' },
      "option 'caFile'",
    ],
  ])('%s', async (_, options, mistake) => {
    const creation = create(options);
    await expect(creation).rejects.toBeInstanceOf(ConfigurationError);
    await expect(create(options)).rejects.toThrow(mistake);
  });

  it('with an issuer whose URL is invalid, unless it may be the issuer of the API server', async () => {
    const verifier = await create({ issuer: 'kubernetes.default.svc' }, await kubeconfig(OWN_ACCOUNT));
    expect(await result(verifier, serverToken('kubernetes.default.svc'))).toBe(UNAVAILABLE);
    expect(warnings()).toContain("option 'issuer': expected https URLs without query");
  });
});

function asIssuer(issuer: string) {
  return (honest: object) => ({ ...honest, issuer });
}
