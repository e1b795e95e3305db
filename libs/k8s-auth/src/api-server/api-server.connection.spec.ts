import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { FakeClock, LocalCluster } from '../../testing/index.js';
import { ConfigurationError } from '../errors.js';
import { type ApiServerConnection, findApiServer, requireApiServer } from './api-server.connection.js';
import { type ApiServerOptions } from './api-server.options.js';
import { CapturedLog } from './own-cluster.fixture.js';

const MOUNT = 'var/run/secrets/kubernetes.io/serviceaccount';
const IN_POD = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };

let cluster: LocalCluster;
let directory: string;
let podRoot: string;
let kubeconfig: string;
let tokenKubeconfig: string;
let otherToken: string;
const clock = new FakeClock();

beforeAll(async () => {
  cluster = await LocalCluster.start({ clock, signingAlgorithm: 'ES256' });
  directory = mkdtempSync(join(tmpdir(), 'connection-'));
  podRoot = join(directory, 'pod');
  mkdirSync(join(podRoot, MOUNT), { recursive: true });
  const mount = await cluster.writeInClusterMount({ namespace: 'default', serviceAccount: 'default' });
  cpSync(mount, join(podRoot, MOUNT), { recursive: true, dereference: true });
  mkdirSync(join(podRoot, 'etc'));
  writeFileSync(
    join(podRoot, 'etc/resolv.conf'),
    'nameserver 10.96.0.10\nsearch shop.svc.prod.example svc.prod.example prod.example\noptions ndots:5\n',
  );
  kubeconfig = await cluster.writeKubeconfig();
  await cluster.createServiceAccount('shop', 'orders');
  const written = await cluster.writeKubeconfig({ serviceAccount: 'shop/orders' });
  tokenKubeconfig = join(directory, 'token.kubeconfig');
  cpSync(written, tokenKubeconfig);
  otherToken = join(directory, 'other-token');
  const token = await cluster.createToken({ namespace: 'shop', serviceAccount: 'orders' });
  writeFileSync(otherToken, token);
});

afterAll(async () => {
  await cluster.close();
  rmSync(directory, { recursive: true });
});

function find(
  options: ApiServerOptions | undefined,
  environment: Record<string, string>,
  root = join(directory, 'no-pod'),
): Promise<ApiServerConnection | undefined> {
  return findApiServer(options, { clock, log: new CapturedLog(), environment, podRoot: root });
}

const authenticatedUser = async (connection: ApiServerConnection | undefined) =>
  connection?.credential === undefined ? 'certificate' : (await connection.credential.claims())?.sub;

const DEFAULT = 'system:serviceaccount:default:default';
const ORDERS = 'system:serviceaccount:shop:orders';

describe('findApiServer without options', () => {
  it('returns undefined if no API server is configured', async () => {
    await expect(find(undefined, {})).resolves.toBeUndefined();
    await expect(find({}, { ...IN_POD, HOME: directory })).resolves.toBeUndefined();
    await expect(find({}, {}, podRoot)).resolves.toBeUndefined();
    await expect(find({}, { ...IN_POD, KUBERNETES_SERVICE_PORT: 'x' }, podRoot)).resolves.toBeUndefined();
  });

  it('lists the places it searched if an API server is required', async () => {
    const context = { clock, log: new CapturedLog(), environment: {}, podRoot: join(directory, 'no-pod') };
    const error: unknown = await requireApiServer(undefined, context).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ConfigurationError);
    for (const place of [
      "option 'apiServer'",
      'KUBECONFIG',
      'KUBERNETES_SERVICE_HOST',
      '~/.kube/config',
      'npx nest-k8s-auth dev',
    ]) {
      expect((error as ConfigurationError).message).toContain(place);
    }
  });

  it('prefers KUBECONFIG to the pod, and the pod to the home directory', async () => {
    mkdirSync(join(directory, '.kube'));
    cpSync(kubeconfig, join(directory, '.kube', 'config'));
    const home = { HOME: directory };
    const inPod = { ...home, ...IN_POD };
    const first = await find({}, { ...inPod, KUBECONFIG: tokenKubeconfig }, podRoot);
    expect(first).toMatchObject({
      url: cluster.url,
      description: `variable KUBECONFIG (${tokenKubeconfig})`,
    });
    const second = await find({}, { ...inPod, KUBECONFIG: '' }, podRoot);
    expect(second).toMatchObject({ url: 'https://10.96.0.1', description: "the pod's ServiceAccount" });
    const third = await find({}, home, podRoot);
    expect(third?.description).toContain('~/.kube/config');
    const onWindows = await find({}, { USERPROFILE: directory }, podRoot);
    expect(onWindows?.description).toContain('~/.kube/config');
    expect(await Promise.all([first, second, third].map(authenticatedUser))).toStrictEqual([
      ORDERS,
      DEFAULT,
      'certificate',
    ]);
    rmSync(join(directory, '.kube'), { recursive: true });
  });

  it('accepts several files in KUBECONFIG', async () => {
    const extra = join(directory, 'extra.kubeconfig');
    writeFileSync(
      extra,
      JSON.stringify({ apiVersion: 'v1', kind: 'Config', clusters: [], users: [], contexts: [] }),
    );
    const found = await find({}, { KUBECONFIG: [tokenKubeconfig, extra].join(delimiter) });
    expect(await authenticatedUser(found)).toBe(ORDERS);
  });

  it.each(['10.96.0.1', 'fd00::1', 'api.example'])(
    'finds in a pod what client-node finds there (host %s)',
    async (host) => {
      const environment = { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: '6443' };
      const found = await find(undefined, environment, podRoot);
      const theirs = new KubeConfig();
      Object.assign(process.env, environment);
      theirs.loadFromCluster(podRoot);
      delete process.env.KUBERNETES_SERVICE_HOST;
      delete process.env.KUBERNETES_SERVICE_PORT;
      const options: RequestOptions = {};
      await theirs.applyToHTTPSOptions(options);
      expect(found?.url).toBe(theirs.getCurrentCluster()?.server);
      expect(found?.tls.ca).toBe(String(options.ca));
      expect(`Bearer ${await found?.credential?.token()}`).toBe(
        (options.headers as Record<string, string>).Authorization,
      );
    },
  );
});

describe('findApiServer with a URL', () => {
  it("uses the pod's files for the pod's own API server, and ignores KUBECONFIG", async () => {
    const { hostname, port } = new URL(cluster.url);
    const inPod = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port };
    const environment = { KUBECONFIG: tokenKubeconfig, ...inPod };
    const found = await find({ url: `${cluster.url}/base/` }, environment, podRoot);
    expect(found).toMatchObject({ url: `${cluster.url}/base`, tls: { ca: cluster.ca } });
    expect(await authenticatedUser(found)).toBe(DEFAULT);
    await expect(find({ url: cluster.url }, environment)).rejects.toThrow(
      "option 'apiServer.tokenFile': expected a path, because no token of a pod ServiceAccount is mounted",
    );
  });

  it.each([
    'https://kubernetes',
    'https://kubernetes.default:443',
    'https://Kubernetes.default.svc/base',
    'https://kubernetes.default.svc.cluster.local',
    'https://kubernetes.default.svc.prod.example',
  ])("recognizes the pod's own API server by the name in %s", async (url) => {
    const found = await find({ url }, {}, podRoot);
    expect(found?.tls).toStrictEqual({ ca: cluster.ca });
    expect(await authenticatedUser(found)).toBe(DEFAULT);
  });

  it.each([
    'https://10.96.0.1:6443',
    'https://10.96.0.2',
    'https://kubernetes.default.svc:6443',
    'https://kubernetes.default.svc.other.example',
    'https://kubernetes.default.svc.',
    'https://kubernetes.default.example',
    'https://kubernetes.example',
    'https://api.example',
  ])("does not use the pod's files for another server: %s", async (url) => {
    await expect(find({ url, caFile: cluster.caFile }, IN_POD, podRoot)).rejects.toMatchObject({
      code: 'ERR_K8S_AUTH_CONFIGURATION_INVALID',
      message: expect.stringContaining(
        "option 'apiServer.tokenFile': is required together with 'apiServer.url', which is not the API server of the pod",
      ),
    });
    const found = await find({ url, tokenFile: otherToken }, IN_POD, podRoot);
    expect(found?.tls).toStrictEqual({});
  });

  it('normalizes the URL', async () => {
    const found = await find({ url: 'HTTPS://API.example:443//', tokenFile: otherToken }, {});
    expect(found?.url).toBe('https://api.example');
  });

  it("trusts the system's root certificates without a CA", async () => {
    const found = await find({ url: cluster.url, tokenFile: otherToken }, {});
    expect(found?.tls).toStrictEqual({});
  });
});

describe('findApiServer with the options caFile and tokenFile', () => {
  it('uses them instead of the CA and the token of the pod', async () => {
    const found = await find({ caFile: cluster.caFile, tokenFile: otherToken }, IN_POD, podRoot);
    expect(found?.url).toBe('https://10.96.0.1');
    expect(await authenticatedUser(found)).toBe(ORDERS);
  });

  it('uses them in a pod without an automounted token', async () => {
    const found = await find({ caFile: cluster.caFile, tokenFile: otherToken }, IN_POD);
    expect(found).toMatchObject({ url: 'https://10.96.0.1', tls: { ca: cluster.ca } });
  });

  it('uses them instead of the client certificate of a kubeconfig', async () => {
    const found = await find({ tokenFile: otherToken }, { KUBECONFIG: kubeconfig });
    expect(await authenticatedUser(found)).toBe(ORDERS);
    expect(found?.tls).toStrictEqual({ ca: cluster.ca });
    const other = join(directory, 'other-ca.crt');
    writeFileSync(other, `# ours\n${cluster.ca}${cluster.ca}`);
    await expect(find({ caFile: other }, { KUBECONFIG: kubeconfig })).resolves.toMatchObject({
      tls: { ca: `${cluster.ca}${cluster.ca}`, cert: expect.any(String), key: expect.any(String) },
    });
  });

  it.each([
    ['is missing', undefined],
    ['is empty', ''],
    ['contains no certificate', 'not PEM'],
    ['contains a truncated certificate', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'],
  ])('fails startup if the CA file %s', async (_what, content) => {
    const caFile = join(directory, `ca-${Math.random()}`);
    if (content !== undefined) writeFileSync(caFile, content);
    await expect(find({ url: cluster.url, caFile, tokenFile: otherToken }, {})).rejects.toMatchObject({
      code: 'ERR_K8S_AUTH_CONFIGURATION_INVALID',
      message: expect.stringContaining(`option 'apiServer.caFile': expected PEM in ${caFile}`),
    });
  });

  it('reads them again later', async () => {
    const caFile = join(directory, 'rotating-ca.crt');
    writeFileSync(caFile, cluster.ca);
    const found = await find({ url: cluster.url, caFile, tokenFile: otherToken }, {});
    writeFileSync(caFile, `${cluster.ca}${cluster.ca}`);
    await expect(found?.readTls()).resolves.toStrictEqual({ ca: `${cluster.ca}${cluster.ca}` });
    rmSync(caFile);
    await expect(found?.readTls()).rejects.toBeInstanceOf(ConfigurationError);
  });
});

it('findApiServer returns the client certificate of a kubeconfig, and the API server accepts it', async () => {
  const found = await find({ kubeconfigFile: kubeconfig }, {});
  const status = await new Promise((resolve) => {
    httpsRequest(`${found?.url}/openid/v1/jwks`, { ...found?.tls }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).end();
  });
  expect(status).toBe(200);
});
