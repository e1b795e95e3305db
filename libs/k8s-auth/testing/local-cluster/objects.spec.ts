import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ApiClient } from './api-client.fixture.js';
import { CertificateAuthority } from './certificates.js';
import { LocalCluster } from './local-cluster.js';

describe('objects of the local API server', () => {
  let cluster: LocalCluster;
  let admin: ApiClient;

  beforeAll(async () => {
    cluster = await LocalCluster.start({ signingAlgorithm: 'ES256' });
    admin = await ApiClient.asAdministrator(cluster);
  });

  afterAll(async () => {
    await admin.close();
    await cluster.close();
  });

  const create = (path: string, name: string, more: object = {}) =>
    admin.ask('POST', path, { body: { metadata: { name }, ...more } });

  it('are created, read, listed and deleted', async () => {
    expect((await create('/api/v1/namespaces', 'life')).status).toBe(201);
    const path = '/api/v1/namespaces/life/serviceaccounts';
    const created = (await create(path, 'checkout')).json();
    expect(created).toMatchObject({
      kind: 'ServiceAccount',
      apiVersion: 'v1',
      metadata: { name: 'checkout', namespace: 'life', uid: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
    expect((await admin.ask('GET', `${path}/checkout`)).json()).toEqual(created);
    const list = (await admin.ask('GET', path)).json() as unknown as { kind: string; items: object[] };
    expect(list.kind).toBe('ServiceAccountList');
    expect(list.items).toHaveLength(2);
    const selected = await admin.ask('GET', `${path}?fieldSelector=metadata.name%3Dcheckout`);
    expect(selected.json().items).toEqual([created]);
    expect((await admin.ask('DELETE', `${path}/checkout`)).json()).toEqual(created);
    expect((await admin.ask('GET', `${path}/checkout`)).json()).toMatchObject({
      code: 404,
      reason: 'NotFound',
      message: 'serviceaccounts "checkout" not found',
    });
    expect((await admin.ask('DELETE', `${path}/checkout`)).status).toBe(404);
  });

  it('get another UID when they are created again', async () => {
    const path = '/api/v1/namespaces/default/serviceaccounts';
    const uid = async () => ((await create(path, 'again')).json().metadata as { uid: string }).uid;
    const first = await uid();
    await admin.ask('DELETE', `${path}/again`);
    expect(await uid()).not.toBe(first);
  });

  it('cannot be created twice', async () => {
    expect((await create('/api/v1/namespaces', 'default')).json()).toMatchObject({
      code: 409,
      reason: 'AlreadyExists',
      message: 'namespaces "default" already exists',
    });
  });

  it('are deleted with their namespace, and a new namespace has a default ServiceAccount', async () => {
    await create('/api/v1/namespaces', 'short');
    await create('/api/v1/namespaces/short/pods', 'p');
    await admin.ask('DELETE', '/api/v1/namespaces/short');
    await create('/api/v1/namespaces', 'short');
    const path = '/api/v1/namespaces/short';
    expect((await admin.ask('GET', `${path}/serviceaccounts/default`)).status).toBe(200);
    expect((await admin.ask('GET', `${path}/pods/p`)).status).toBe(404);
  });

  it('of kind Pod use the default ServiceAccount and no node by default', async () => {
    const path = '/api/v1/namespaces/default/pods';
    expect((await create(path, 'plain')).json().spec).toEqual({ serviceAccountName: 'default' });
    await cluster.createServiceAccount('default', 'checkout');
    const spec = { serviceAccountName: 'checkout', nodeName: 'node-7' };
    expect((await create(path, 'placed', { spec })).json().spec).toEqual(spec);
    const all = (await admin.ask('GET', '/api/v1/pods')).json() as unknown as { items: object[] };
    expect(all.items).toHaveLength(2);
  });

  it.each([
    [
      'a namespace that does not exist',
      '/api/v1/namespaces/none/serviceaccounts',
      { metadata: { name: 'x' } },
      404,
    ],
    [
      'a pod of a ServiceAccount that does not exist',
      '/api/v1/namespaces/default/pods',
      { metadata: { name: 'x' }, spec: { serviceAccountName: 'nobody' } },
      403,
    ],
    ['no name', '/api/v1/namespaces', {}, 422],
    ['an invalid name', '/api/v1/namespaces', { metadata: { name: 'A_b' } }, 422],
    [
      'an invalid ServiceAccount name',
      '/api/v1/namespaces/default/serviceaccounts',
      { metadata: { name: '-' } },
      422,
    ],
    [
      'two namespaces',
      '/api/v1/namespaces/default/serviceaccounts',
      { metadata: { name: 'x', namespace: 'y' } },
      400,
    ],
  ])('are refused with %s', async (_, path, body, code) => {
    expect((await admin.ask('POST', path, { body })).json()).toMatchObject({ kind: 'Status', code });
  });

  it('are refused with a body larger than 3 MiB', async () => {
    const body = 'x'.repeat(3 * 1024 * 1024 + 1);
    expect((await admin.ask('POST', '/api/v1/namespaces', { body })).json()).toMatchObject({
      code: 413,
      reason: 'RequestEntityTooLarge',
      message: 'Request entity too large: limit is 3145728',
    });
  });

  it('cannot be watched', async () => {
    expect((await admin.ask('GET', '/api/v1/namespaces?watch=true')).status).toBe(400);
  });

  it('are for administrators only, and unknown paths get the same answer for others', async () => {
    const client = new ApiClient(cluster);
    const token = await cluster.createToken({ namespace: 'default', serviceAccount: 'default' });
    const messageOf = async (path: string) => (await client.ask('GET', path, { token })).json().message;
    const user = 'User "system:serviceaccount:default:default"';
    expect(await messageOf('/api/v1/namespaces/default/pods')).toBe(
      `pods is forbidden: ${user} cannot list resource "pods" in API group "" in the namespace "default"`,
    );
    expect(await messageOf('/api/v1/namespaces/default')).toBe(
      `namespaces "default" is forbidden: ${user} cannot get resource "namespaces" in API group "" at the cluster scope`,
    );
    expect(await messageOf('/apis/apps/v1/namespaces/shop/deployments')).toBe(
      `deployments.apps is forbidden: ${user} cannot list resource "deployments" in API group "apps" in the namespace "shop"`,
    );
    expect(await messageOf('/nowhere')).toBe(`forbidden: ${user} cannot get path "/nowhere"`);
    await client.close();
  });

  it('answer 404 or 405 to administrators for unknown paths and methods', async () => {
    expect((await admin.ask('GET', '/api/v1/things')).json()).toMatchObject({
      code: 404,
      message: 'the server could not find the requested resource',
    });
    expect(await admin.ask('GET', '/nowhere')).toMatchObject({
      status: 404,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      text: '404 page not found\n',
    });
    expect((await admin.ask('PUT', '/api/v1/namespaces/default')).json()).toMatchObject({ code: 405 });
    expect((await admin.ask('GET', '/apis/authentication.k8s.io/v1/tokenreviews')).status).toBe(405);
  });

  it('are listed in the documents that kubectl reads, for authenticated callers only', async () => {
    const nobody = new ApiClient(cluster);
    expect((await nobody.ask('GET', '/api')).status).toBe(403);
    await nobody.close();
    for (const path of [
      '/api',
      '/apis',
      '/api/v1',
      '/apis/authentication.k8s.io/v1',
      '/apis/authorization.k8s.io/v1',
    ]) {
      expect((await admin.ask('GET', path)).status).toBe(200);
    }
  });

  it('health and version are open to everybody', async () => {
    const nobody = new ApiClient(cluster);
    for (const path of ['/healthz', '/readyz', '/livez', '/version']) {
      expect((await nobody.ask('GET', path)).status).toBe(200);
    }
    await nobody.close();
  });

  it('are refused to a request with impersonation', async () => {
    const headers = { 'impersonate-user': 'system:serviceaccount:default:default' };
    expect((await admin.ask('GET', '/api/v1/namespaces', { headers })).json()).toMatchObject({
      code: 400,
      message: 'impersonation is not supported',
    });
  });

  it('accept a body without a content type as JSON', async () => {
    const headers = { 'content-type': '' };
    const body = { metadata: { name: 'untyped' } };
    expect((await admin.ask('POST', '/api/v1/namespaces', { body, headers })).status).toBe(201);
  });

  it('are refused to a certificate of another CA, unless the request also has a valid token', async () => {
    const authority = await CertificateAuthority.create();
    const certificate = await authority.issue({
      subject: 'CN=kubernetes-admin, O=system:masters',
      usage: 'client',
    });
    const impostor = new ApiClient(cluster, certificate);
    expect((await impostor.ask('GET', '/api/v1/namespaces')).status).toBe(401);
    const token = await cluster.createToken({ namespace: 'default', serviceAccount: 'default' });
    expect((await impostor.ask('GET', '/api', { token })).status).toBe(200);
    await impostor.close();
  });
});
