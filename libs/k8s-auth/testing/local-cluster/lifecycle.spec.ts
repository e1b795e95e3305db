import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../fake-clock.js';
import { ApiClient } from './api-client.fixture.js';
import { LocalCluster } from './local-cluster.js';
import { type CertificateKind } from './server-certificates.js';

describe('the lifecycle of a local cluster', () => {
  let clock: FakeClock;
  let cluster: LocalCluster;
  let client: ApiClient;

  beforeEach(async () => {
    clock = new FakeClock();
    cluster = await LocalCluster.start({ clock, signingAlgorithm: 'ES256' });
    client = new ApiClient(cluster);
  });

  afterEach(async () => {
    await client.close();
    await cluster.close();
  });

  const isAlive = () => client.ask('GET', '/livez').then(({ status }) => status);

  /** Sends the request again if the first one used an old connection whose end was not noticed yet. */
  const isAliveAnew = () =>
    isAlive().catch((error: { code?: string }) => {
      if (error.code === 'UND_ERR_SOCKET' || error.code === 'ECONNRESET') return isAlive();
      throw error;
    });

  it('is on loopback, at the port the system chose', () => {
    expect(cluster.url).toBe(`https://127.0.0.1:${cluster.port}`);
    expect(cluster.port).toBeGreaterThan(0);
    expect(cluster.clock).toBe(clock);
  });

  it('takes the port, the issuer and the audiences as options, and fails when the port is in use', async () => {
    await expect(LocalCluster.start({ port: cluster.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const { port } = cluster;
    await cluster.close();
    const options = { port, issuer: 'https://issuer.example', apiAudiences: ['api'] };
    cluster = await LocalCluster.start(options);
    expect(cluster).toMatchObject(options);
  });

  it('stops and starts again on the same port, with its state and keys', async () => {
    await cluster.createServiceAccount('shop', 'checkout');
    const token = await cluster.createToken({ namespace: 'shop', serviceAccount: 'checkout' });
    const { url } = cluster;
    expect(await isAlive()).toBe(200);
    await cluster.outage();
    await cluster.outage();
    await expect(isAliveAnew()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await cluster.recover();
    await cluster.recover();
    expect(cluster.url).toBe(url);
    expect((await client.ask('GET', '/openid/v1/jwks', { token })).status).toBe(200);
  });

  it('hangs for existing and new connections, and recovers', async () => {
    expect(await isAlive()).toBe(200);
    await cluster.outage('hang');
    let isOver = false;
    const other = new ApiClient(cluster);
    const hanging = [isAlive(), other.ask('GET', '/livez')].map((asked) =>
      asked.catch((error: Error) => error).finally(() => (isOver = true)),
    );
    while (cluster.requests.connections < 2) await clock.advance(0);
    await clock.advance(3_600_000);
    expect([isOver, cluster.requests.handshakes, cluster.requests.count()]).toEqual([false, 1, 1]);
    await cluster.recover();
    for (const error of await Promise.all(hanging)) expect(error).toHaveProperty('message');
    expect(await isAliveAnew()).toBe(200);
    await other.close();
  });

  it('mutes the existing connections, and answers on new ones', async () => {
    expect(await isAlive()).toBe(200);
    cluster.muteConnections();
    let isOver = false;
    const muted = isAlive()
      .catch((error: Error) => error)
      .finally(() => (isOver = true));
    const other = new ApiClient(cluster);
    expect((await other.ask('GET', '/livez')).status).toBe(200);
    expect([isOver, cluster.requests.count()]).toEqual([false, 2]);
    await other.close();
    await cluster.outage();
    expect(await muted).toHaveProperty('message');
  });

  it('closes connections with requests in flight when it stops', async () => {
    cluster.faults.set({ on: 'health', fault: { kind: 'hang' } });
    const outcome = isAlive().catch((error: unknown) => error);
    await cluster.requests.waitFor({ endpoint: 'health' });
    await cluster.outage();
    expect(await outcome).toBeInstanceOf(Error);
  });

  it.each<[CertificateKind, string]>([
    ['wrong-name', 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['expired', 'CERT_HAS_EXPIRED'],
    ['untrusted', 'SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_SIGNATURE_FAILURE'],
  ])(
    'presents an invalid certificate (%s), also to clients that were connected before',
    async (kind, code) => {
      expect(await isAlive()).toBe(200);
      await cluster.presentCertificate(kind);
      await expect(isAliveAnew()).rejects.toMatchObject({ code: expect.stringMatching(code) });
      await cluster.presentCertificate('good');
      expect(await isAliveAnew()).toBe(200);
    },
  );

  it('presents another certificate after an outage, too', async () => {
    await cluster.outage();
    await cluster.presentCertificate('expired');
    await cluster.recover();
    await expect(isAliveAnew()).rejects.toMatchObject({ code: 'CERT_HAS_EXPIRED' });
  });

  it('writes files that only their owner can read, and removes all of them on close', async () => {
    const kubeconfig = await cluster.writeKubeconfig();
    const account = { namespace: 'default', serviceAccount: 'default' };
    const mount = await cluster.writeInClusterMount(account);
    const volume = await cluster.projectVolume({ ...account, path: 'token', audience: 'orders' });
    const root = dirname(cluster.caFile);
    expect(dirname(root)).toBe(tmpdir());
    expect(statSync(root).mode & 0o777).toBe(0o700);
    expect(statSync(kubeconfig).mode & 0o777).toBe(0o600);
    expect([mount, volume.directory].map((path) => path.startsWith(root))).toEqual([true, true]);
    expect(readFileSync(cluster.caFile, 'utf8')).toBe(cluster.ca);
    await cluster.close();
    await cluster.close();
    expect([existsSync(root), clock.pendingTimers]).toEqual([false, 0]);
  });

  it('mounts a token of a pod, the CA and the namespace, and replaces the token', async () => {
    await cluster.createServiceAccount('shop', 'checkout');
    const options = { namespace: 'shop', serviceAccount: 'checkout' };
    const directory = await cluster.writeInClusterMount(options);
    const read = (name: string) => readFileSync(join(directory, name), 'utf8');
    expect(readdirSync(directory).filter((name) => !name.startsWith('..'))).toEqual([
      'ca.crt',
      'namespace',
      'token',
    ]);
    expect([read('namespace'), read('ca.crt')]).toEqual(['shop', cluster.ca]);
    const first = read('token');
    const claims: unknown = JSON.parse(Buffer.from(first.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({
      aud: cluster.apiAudiences,
      'kubernetes.io': { pod: { name: expect.stringMatching(/^checkout-/) }, warnafter: expect.any(Number) },
    });
    expect(await cluster.writeInClusterMount({ ...options, directory })).toBe(directory);
    expect(read('token')).not.toBe(first);
  });

  it('renews projected tokens by its clock, but not during an outage', async () => {
    await cluster.createServiceAccount('shop', 'checkout');
    const volume = await cluster.projectVolume({
      namespace: 'shop',
      serviceAccount: 'checkout',
      path: 'orders',
      audience: 'orders',
      expirationSeconds: 600,
    });
    const first = volume.current();
    await clock.advance(480_000);
    const second = volume.current();
    await cluster.outage();
    await clock.advance(3_600_000);
    expect(volume.current()).toBe(second);
    await cluster.recover();
    await clock.advance(60_000);
    expect(new Set([first, second, volume.current()]).size).toBe(3);
    await cluster.deleteServiceAccount('shop', 'checkout');
    expect(() => volume.rotate()).toThrow('serviceaccounts "checkout" not found');
  });

  it('uses the API server’s messages for objects that do not exist', async () => {
    const account = { namespace: 'default', serviceAccount: 'nobody' };
    await expect(cluster.createToken(account)).rejects.toThrow('serviceaccounts "nobody" not found');
    await expect(cluster.createPod('default', 'p', account)).rejects.toThrow(
      /serviceaccount "nobody" not found$/,
    );
    await expect(cluster.deletePod('default', 'p')).rejects.toThrow('pods "p" not found');
    await expect(cluster.writeKubeconfig({ serviceAccount: 'nobody' })).rejects.toThrow(
      '"nobody" is not <namespace>/<name> of a ServiceAccount',
    );
    const volume = { ...account, path: 'p', audience: 'a', expirationSeconds: 599 };
    await expect(cluster.projectVolume(volume)).rejects.toThrow(
      /may not specify a duration less than 10 minutes$/,
    );
  });
});
