import { join } from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  AuthenticationV1Api,
  AuthorizationV1Api,
  CoreV1Api,
  KubeConfig,
  type V1TokenReview,
} from '@kubernetes/client-node';
import { LocalCluster } from './local-cluster.js';

const MOUNT = 'var/run/secrets/kubernetes.io/serviceaccount';
const REVIEW_RIGHT = { group: 'authentication.k8s.io', resource: 'tokenreviews', verb: 'create' };

describe('@kubernetes/client-node against a local cluster', () => {
  const environment = { ...process.env };
  let prefix: string;
  let cluster: LocalCluster;

  beforeEach(async () => {
    prefix = mkdtempSync(join(tmpdir(), 'client-node-'));
    cluster = await LocalCluster.start();
    await cluster.createServiceAccount('mytest', 'reviewer');
    cluster.grant('create tokenreviews', 'mytest/reviewer');
  });

  afterEach(async () => {
    process.env = { ...environment };
    await cluster.close();
    rmSync(prefix, { recursive: true, force: true });
  });

  async function loadFile(serviceAccount?: string): Promise<KubeConfig> {
    const config = new KubeConfig();
    config.loadFromFile(await cluster.writeKubeconfig({ serviceAccount }));
    return config;
  }

  async function loadInCluster(): Promise<KubeConfig> {
    const directory = join(prefix, MOUNT);
    await cluster.writeInClusterMount({ namespace: 'mytest', serviceAccount: 'reviewer', directory });
    process.env.KUBERNETES_SERVICE_HOST = '127.0.0.1';
    process.env.KUBERNETES_SERVICE_PORT = String(cluster.port);
    const config = new KubeConfig();
    config.loadFromCluster(prefix);
    return config;
  }

  const ways: [string, () => Promise<KubeConfig>][] = [
    ['the administrator’s kubeconfig', () => loadFile()],
    ['a ServiceAccount’s kubeconfig', () => loadFile('mytest/reviewer')],
    ['the mount of a pod', () => loadInCluster()],
  ];

  async function review(config: KubeConfig, token: string, audiences?: string[]): Promise<V1TokenReview> {
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences } };
    return config.makeApiClient(AuthenticationV1Api).createTokenReview({ body });
  }

  it.each(ways)('reviews a token through %s', async (_, load) => {
    const config = await load();
    const token = await cluster.createToken({
      namespace: 'mytest',
      serviceAccount: 'default',
      audiences: ['service2'],
    });
    expect((await review(config, token, ['service2'])).status).toMatchObject({
      authenticated: true,
      audiences: ['service2'],
      user: { username: 'system:serviceaccount:mytest:default' },
    });
    const refused = await review(config, token, ['other']);
    expect(refused.status?.authenticated).toBeUndefined();
    expect(refused.status?.error).toMatch(/^\[invalid bearer token, token audiences/);
  });

  it.each(ways)('checks its rights through %s', async (_, load) => {
    const api = (await load()).makeApiClient(AuthorizationV1Api);
    const answer = await api.createSelfSubjectAccessReview({
      body: { spec: { resourceAttributes: REVIEW_RIGHT } },
    });
    expect(answer.status).toMatchObject({ allowed: true });
  });

  it('requests a token and reviews it', async () => {
    const config = await loadFile();
    const api = config.makeApiClient(CoreV1Api);
    const { status } = await api.createNamespacedServiceAccountToken({
      namespace: 'mytest',
      name: 'default',
      body: { spec: { audiences: ['service2'], expirationSeconds: 600 } },
    });
    expect(status?.expirationTimestamp).toBeInstanceOf(Date);
    const verdict = await review(config, status?.token ?? '', ['service2']);
    expect(verdict.status?.authenticated).toBe(true);
  });

  it('creates, lists and deletes objects', async () => {
    const api = (await loadFile()).makeApiClient(CoreV1Api);
    await api.createNamespace({ body: { metadata: { name: 'shop' } } });
    await api.createNamespacedServiceAccount({ namespace: 'shop', body: { metadata: { name: 'checkout' } } });
    const pod = { metadata: { name: 'p' }, spec: { serviceAccountName: 'checkout', containers: [] } };
    await api.createNamespacedPod({ namespace: 'shop', body: pod });
    const { items } = await api.listNamespacedServiceAccount({ namespace: 'shop' });
    expect(items.map(({ metadata }) => metadata?.name)).toEqual(['default', 'checkout']);
    await api.deleteNamespacedPod({ namespace: 'shop', name: 'p' });
    await expect(api.readNamespacedPod({ namespace: 'shop', name: 'p' })).rejects.toMatchObject({
      code: 404,
    });
  });

  it('gets the API server’s refusal for a missing right', async () => {
    cluster.revoke('create tokenreviews', 'mytest/reviewer');
    await expect(review(await loadInCluster(), 'x')).rejects.toMatchObject({ code: 403 });
  });
});
