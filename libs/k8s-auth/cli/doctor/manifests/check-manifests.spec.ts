import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { UsageError } from '../../command.js';
import { type ExportedRoutes } from '../../routes/exported-routes.js';
import { checkManifests } from './check-manifests.js';
import { readManifests } from './manifest-set.js';

const CALLER = `
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
          env:
            - { name: K8S_AUTH_DESTINATIONS, value: 'http://orders.shop.svc=/var/run/secrets/tokens/orders' }
          volumeMounts:
            - { name: tokens, mountPath: /var/run/secrets/tokens, readOnly: true }
      volumes:
        - name: tokens
          projected:
            sources:
              - serviceAccountToken: { path: orders, audience: orders }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: checkout, namespace: shop }
`;

const SERVER = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: orders, namespace: shop }
spec:
  template:
    metadata: { labels: { app: orders } }
    spec:
      serviceAccountName: orders
      containers:
        - name: app
          envFrom:
            - configMapRef: { name: orders }
          env:
            - { name: K8S_AUTH_AUDIENCE, value: orders }
---
apiVersion: v1
kind: List
items:
  - { apiVersion: v1, kind: ServiceAccount, metadata: { name: orders, namespace: shop } }
  - { apiVersion: v1, kind: ConfigMap, metadata: { name: orders, namespace: shop }, data: { K8S_AUTH_VERIFIER: tokenreview } }
---
apiVersion: v1
kind: Service
metadata: { name: orders, namespace: shop }
spec: { selector: { app: orders }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: orders-reviews }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:auth-delegator }
subjects:
  - { kind: ServiceAccount, name: orders, namespace: shop }
`;

const GOOD = `${CALLER}---${SERVER}`;

/** @param audiences of the exported routes, by the name of the workload */
async function check(yaml: string, audiences: Record<string, readonly string[]> = {}) {
  const manifests = await readManifests('-', 'default', Readable.from([yaml]));
  const exported = Object.entries(audiences).map(([name, list]): [string, ExportedRoutes] => [
    name,
    { routes: [{ route: 'OrdersController.list', access: 'protected', audiences: list }] },
  ]);
  return checkManifests(manifests, new Map(exported));
}

/** Checks the good manifests after one change, which must have an effect. */
function checkWith(from: string, to: string) {
  const changed = GOOD.replace(from, to);
  if (changed === GOOD) throw new Error(`the manifests do not contain ${from}`);
  return check(changed);
}

describe('doctor --manifests', () => {
  it('finds nothing wrong in good manifests', async () => {
    const steps = await check(GOOD);
    expect(steps.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(steps.map(({ id }) => id)).toEqual(
      expect.arrayContaining([
        'manifest-audience',
        'manifest-mount',
        'manifest-role',
        'manifest-destination',
      ]),
    );
  });

  it.each([
    [
      'manifest-audience',
      'audience: orders }',
      'audience: order }',
      'has the audience order, but Deployment shop/orders',
    ],
    ['manifest-audience', ', audience: orders }', ' }', 'has no audience'],
    [
      'manifest-mount',
      '- { name: tokens, mountPath: /var/run/secrets/tokens, readOnly: true }',
      '[]',
      'add a volumeMount of the volume tokens with mountPath /var/run/secrets/tokens',
    ],
    [
      'manifest-mount',
      '- name: tokens\n          projected',
      '- name: other\n          projected',
      'names the volume tokens, which does not exist',
    ],
    [
      'manifest-mount',
      '{ path: orders,',
      '{ path: token,',
      'no serviceAccountToken source with the path orders',
    ],
    [
      'manifest-sub-path',
      'mountPath: /var/run/secrets/tokens, readOnly: true',
      'mountPath: /var/run/secrets/tokens/orders, subPath: orders',
      'is never renewed',
    ],
    ['manifest-destination', 'port: 80,', 'port: 8080,', 'uses the port 80, but the Service orders has 8080'],
    [
      'manifest-namespace',
      'http://orders.shop.svc',
      'http://orders.store.svc',
      'the Service orders is in shop',
    ],
    [
      'manifest-namespace',
      '- { kind: ServiceAccount, name: orders, namespace: shop }',
      '- { kind: ServiceAccount, name: orders, namespace: default }',
      'of the namespace default, but the pod runs in shop',
    ],
    [
      'manifest-namespace',
      'kind: ServiceAccount\nmetadata: { name: checkout, namespace: shop }',
      'kind: ServiceAccount\nmetadata: { name: checkout }',
      'is in the namespace default, but the pod runs in shop',
    ],
    [
      'manifest-role',
      'kind: ClusterRoleBinding',
      'kind: Other',
      'add a ClusterRoleBinding of system:auth-delegator to the ServiceAccount shop/orders',
    ],
    [
      'manifest-role',
      'name: system:auth-delegator',
      'name: reviewer',
      'names the ClusterRole reviewer, which these manifests do not contain',
    ],
    [
      'manifest-automount',
      'serviceAccountName: orders',
      'serviceAccountName: orders\n      automountServiceAccountToken: false',
      'automountServiceAccountToken of the pod is false',
    ],
    [
      'manifest-configuration',
      'K8S_AUTH_VERIFIER: tokenreview',
      'K8S_AUTH_VERIFIER: tokenreviews',
      'K8S_AUTH_VERIFIER: expected one of',
    ],
  ])('reports %s if %j is %j', async (id, from, to, message) => {
    const steps = await checkWith(from, to);
    const failed = steps.filter(({ status }) => status === 'failed');
    expect(failed.map((step) => step.id)).toContain(id);
    expect(failed.map((step) => step.message).join('\n')).toContain(message);
  });

  it('says that a RoleBinding cannot grant the right', async () => {
    const steps = await checkWith(
      'kind: ClusterRoleBinding\nmetadata: { name: orders-reviews }',
      'kind: RoleBinding\nmetadata: { name: orders-reviews, namespace: shop }',
    );
    expect(steps.find(({ id }) => id === 'manifest-role')?.message).toContain('use a ClusterRoleBinding');
  });

  it('accepts a ClusterRole of its own that contains the right', async () => {
    const role = `
---
kind: ClusterRole
metadata: { name: reviewer }
rules: [{ apiGroups: [authentication.k8s.io], resources: [tokenreviews], verbs: [create] }]
`;
    const steps = await check(GOOD.replace('name: system:auth-delegator', 'name: reviewer') + role);
    expect(steps.filter(({ status }) => status === 'failed')).toEqual([]);
  });

  it('compares audiences with the exported routes, which override K8S_AUTH_AUDIENCE', async () => {
    const steps = await check(GOOD, { orders: ['orders-v2'] });
    expect(steps.find(({ id }) => id === 'manifest-audience')?.message).toContain('accepts orders-v2');
    await expect(check(GOOD, { order: [] })).rejects.toThrow(
      '--routes: expected names of checkout, orders, got order',
    );
  });

  it('replaces references to other variables and to fields of the pod, as the kubelet does', async () => {
    const own = `- { name: NS, valueFrom: { fieldRef: { fieldPath: metadata.namespace } } }
            - { name: K8S_AUTH_DESTINATIONS, value: 'http://orders.$(NS).svc=/var/run/secrets/tokens/orders' }`;
    const from =
      "- { name: K8S_AUTH_DESTINATIONS, value: 'http://orders.shop.svc=/var/run/secrets/tokens/orders' }";
    const steps = await check(GOOD.replace(from, () => own));
    expect(steps.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(steps.map(({ id }) => id)).toContain('manifest-audience');
  });

  it('does not fail because of a value that only a Secret holds', async () => {
    const from = '- { name: K8S_AUTH_AUDIENCE, value: orders }';
    const to = '- { name: K8S_AUTH_AUDIENCE, valueFrom: { secretKeyRef: { name: a, key: b } } }';
    const steps = await checkWith(from, to);
    expect(steps.filter(({ status }) => status === 'failed')).toEqual([]);
    expect(steps.find(({ id }) => id === 'manifest-audience')).toMatchObject({ status: 'skipped' });
  });

  it('warns about a token for the Kubernetes API that nothing uses', async () => {
    const steps = await checkWith('      automountServiceAccountToken: false\n', '');
    expect(steps.filter(({ status }) => status === 'warning').map(({ id }) => id)).toEqual([
      'manifest-automount',
    ]);
  });

  it.each([
    ['nothing with K8S_AUTH_...', 'kind: Service\nmetadata: { name: a }', 'nothing to check'],
    ['no objects', 'a: 1', 'holds no Kubernetes objects'],
    ['no YAML, without quoting it', 'password: "hunter2', 'is not valid YAML'],
  ])('refuses text with %s', async (_, yaml, message) => {
    const error: unknown = await check(yaml).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).not.toContain('hunter2');
  });
});
