import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { type ExportedRoutes } from '../../routes/exported-routes.js';
import { checkManifests } from './check-manifests.js';
import { type ManifestStep } from './manifest-step.js';
import { readManifests } from './manifest-set.js';

/** Without a variable of the library: the applications use forRoot. */
const MANIFESTS = `
apiVersion: v1
kind: List
items:
  - { apiVersion: v1, kind: ServiceAccount, metadata: { name: checkout, namespace: shop } }
  - { apiVersion: v1, kind: ServiceAccount, metadata: { name: orders, namespace: shop } }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: checkout, namespace: shop }
spec:
  template:
    metadata: { labels: { app: checkout } }
    spec:
      serviceAccountName: checkout
      automountServiceAccountToken: false
      containers:
        - name: app
          volumeMounts: [{ name: tokens, mountPath: /var/run/secrets/tokens }]
        - name: proxy
      volumes:
        - name: tokens
          projected: { sources: [{ serviceAccountToken: { path: orders, audience: orders } }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: orders, namespace: shop }
spec:
  template:
    metadata: { labels: { app: orders } }
    spec:
      serviceAccountName: orders
      containers: [{ name: app }]
---
apiVersion: v1
kind: Service
metadata: { name: orders, namespace: shop }
spec: { selector: { app: orders }, ports: [{ port: 80 }] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: orders-token-reviewer }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: 'system:auth-delegator' }
subjects: [{ kind: ServiceAccount, name: orders, namespace: shop }]
`;
const TOKEN_FILE = '/var/run/secrets/tokens/orders';
const checkout: ExportedRoutes = {
  routes: [],
  options: {
    destinations: [{ origin: 'http://orders.shop.svc', tokenFile: TOKEN_FILE, audience: 'orders' }],
  },
};
const orders: ExportedRoutes = {
  routes: [{ route: 'OrdersController.list', access: 'protected', audiences: ['orders'] }],
  options: { verifier: { kind: 'tokenreview' } },
};

/** Checks the manifests after one change. @returns the steps that are not ok */
async function problemsOf(from = '', to = ''): Promise<Pick<ManifestStep, 'id' | 'message'>[]> {
  expect(MANIFESTS).toContain(from);
  const manifests = await readManifests('-', 'default', Readable.from([MANIFESTS.replace(from, to)]));
  const steps = checkManifests(manifests, new Map(Object.entries({ checkout, orders })));
  expect(steps.map(({ id }) => id)).toContain('manifest-role');
  return steps.filter(({ status }) => status !== 'ok').map(({ id, message }) => ({ id, message }));
}

describe('doctor --manifests with exported options', () => {
  it('finds nothing wrong in good manifests, and does not check the container of a sidecar', async () => {
    expect(await problemsOf()).toEqual([]);
  });

  it('says that the options are exported, and nothing about variables that are not set', async () => {
    const manifests = await readManifests('-', 'default', Readable.from([MANIFESTS]));
    const steps = checkManifests(manifests, new Map(Object.entries({ checkout, orders })));
    const messages = steps.filter(({ id }) => id === 'manifest-configuration').map(({ message }) => message);
    const expected = expect.stringMatching(/^No variable K8S_AUTH_\.\.\. is set: .* exported\.$/);
    expect(messages).toEqual([expected, expected]);
  });

  it('finds a token that is not mounted', async () => {
    const [problem] = await problemsOf('volumeMounts: [{ name: tokens,', 'otherMounts: [{ name: tokens,');
    expect(problem).toMatchObject({ id: 'manifest-mount', message: expect.stringContaining(TOKEN_FILE) });
  });

  it('finds a token for another audience than the application expects', async () => {
    expect(await problemsOf('audience: orders', 'audience: billing')).toEqual([
      {
        id: 'manifest-audience',
        message: expect.stringContaining(
          'expects the audience orders for http://orders.shop.svc, but the serviceAccountToken source has billing',
        ),
      },
    ]);
  });

  it('finds a missing binding', async () => {
    const [problem] = await problemsOf('subjects: [{', 'others: [{');
    expect(problem).toMatchObject({
      id: 'manifest-role',
      message: expect.stringContaining('system:auth-delegator'),
    });
  });
});
