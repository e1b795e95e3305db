import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync, writeFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { VerifierUnavailableError } from '../errors.js';
import { endless, turn } from '../http/https-server.fixture.js';
import { startDeadline } from '../util/timers.js';
import { ApiServerClient } from './api-server.client.js';
import { type ApiServerRequest } from './api-server.request.js';
import { outcome, type OwnCluster, startOwnCluster } from './own-cluster.fixture.js';

let own: OwnCluster;

beforeEach(async () => {
  own = await startOwnCluster();
});

afterEach(() => own.close());

function ask(more: Partial<ApiServerRequest> = {}, timeoutMs = 5_000) {
  const deadline = startDeadline(own.clock, timeoutMs);
  return own.client
    .request({ method: 'GET', path: '/openid/v1/jwks', accept: '*/*', deadline, ...more })
    .finally(() => deadline.cancel());
}

const OURSELVES = 'system:serviceaccount:shop:orders';
const unavailable = { name: 'VerifierUnavailableError', code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE' };
const refused = {
  name: 'OwnCredentialRefusedError',
  code: 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE',
  message: 'API server refuses our own credential (401)',
};

describe('ApiServerClient request', () => {
  it('is sent with our own credential, over one connection', async () => {
    for (let n = 0; n < 10; n++) {
      await expect(ask()).resolves.toMatchObject({ status: 200, body: expect.stringContaining('"keys"') });
      await turn();
    }
    expect(own.cluster.requests.count({ user: OURSELVES })).toBe(10);
    expect(own.cluster.requests.connections).toBe(1);
  });

  it('accepts JSON by default, and sends JSON', async () => {
    // The API server serves the key set only with another media type.
    await expect(ask({ accept: undefined })).resolves.toMatchObject({ status: 406 });
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    await expect(ask({ method: 'POST', path, body: '{}' })).resolves.toMatchObject({ status: 422 });
  });

  it('is sent to a path below the URL of the connection', async () => {
    const connection = { ...own.connection, url: `${own.cluster.url}/openid` };
    const client = new ApiServerClient(connection, own);
    await expect(
      client.request({ method: 'GET', path: '/v1/jwks', accept: '*/*', deadline: endless() }),
    ).resolves.toHaveProperty('status', 200);
    await expect(
      client.request({ method: 'GET', path: '@elsewhere.example/', deadline: endless() }),
    ).rejects.toMatchObject(unavailable);
    await client.close();
  });

  it.each(['https://127.0.0.1:1/elsewhere', '/openid/v1/jwks?again'])(
    'does not follow a redirect to %s',
    async (to) => {
      own.cluster.faults.set({ on: 'jwks', fault: { kind: 'redirect', to } });
      await expect(ask()).rejects.toMatchObject({
        ...unavailable,
        message: 'API server answered with a redirect (307)',
      });
      expect(own.cluster.requests.count()).toBe(1);
    },
  );

  it('fails for an answer larger than 256 KiB', async () => {
    own.cluster.faults.set({ on: 'jwks', fault: { kind: 'huge' } });
    await expect(ask()).rejects.toMatchObject(unavailable);
  });

  it.each(['untrusted', 'wrong-name', 'expired'] as const)(
    'is not sent to a server with a certificate that is %s',
    async (kind) => {
      await own.cluster.presentCertificate(kind);
      await expect(ask()).rejects.toMatchObject(unavailable);
      expect(own.cluster.requests.count()).toBe(0);
    },
  );
});

describe("ApiServerClient's own token", () => {
  it('is replaced within one minute after its file changed', async () => {
    await ask();
    await own.cluster.deletePod('shop', 'orders-1');
    await own.replaceOwnToken();
    await own.clock.advance(60_000);
    await expect(ask()).resolves.toMatchObject({ status: 200 });
    expect(own.cluster.requests.count({ user: OURSELVES })).toBe(2);
    expect(own.cluster.requests.count()).toBe(2);
  });

  it('is read again immediately after a 401', async () => {
    await ask();
    await own.cluster.deletePod('shop', 'orders-1');
    await own.replaceOwnToken();
    await expect(ask()).resolves.toMatchObject({ status: 200 });
    expect(own.cluster.requests.list().map(({ status }) => status)).toStrictEqual([200, 401, 200]);
  });

  it('is sent at most twice, and a lasting 401 is logged once a minute', async () => {
    await own.cluster.deletePod('shop', 'orders-1');
    for (let n = 0; n < 3; n++) {
      await expect(ask()).rejects.toMatchObject(refused);
    }
    expect(own.cluster.requests.count()).toBe(3);
    expect(own.log.messages('error')).toStrictEqual(['API server refuses our own credential (401)']);
    await own.clock.advance(60_000);
    await expect(ask()).rejects.toBeInstanceOf(VerifierUnavailableError);
    expect(own.log.messages('error')).toHaveLength(2);
  });

  it('is not sent a third time after two different tokens were refused', async () => {
    await ask();
    own.cluster.faults.set({ on: 'jwks', fault: { kind: 'status', status: 401 } });
    await own.replaceOwnToken();
    await expect(ask()).rejects.toMatchObject(refused);
    expect(own.cluster.requests.count()).toBe(3);
  });

  it.each([
    ['missing', (file: string) => rmSync(file)],
    ['empty', (file: string) => writeFileSync(file, ' \n')],
  ])('is never omitted from a request when its file is %s', async (_what, damage) => {
    rmSync(own.tokenFile);
    writeFileSync(own.tokenFile, 'x');
    damage(own.tokenFile);
    await expect(ask()).rejects.toMatchObject({
      ...unavailable,
      cause: { name: 'TokenSourceError', tokenFile: own.tokenFile },
    });
    expect(own.cluster.requests.count()).toBe(0);
  });

  it('is read no longer than until the deadline', async () => {
    const hanging = () => new Promise<never>(() => {});
    const credential = { token: hanging, renew: hanging, claims: hanging };
    const client = new ApiServerClient({ ...own.connection, credential }, own);
    const deadline = startDeadline(own.clock, 5_000);
    const asked = outcome(client.request({ method: 'GET', path: '/', deadline }));
    const claimed = outcome(client.ownClaims());
    await own.clock.advance(5_000);
    expect(await asked).toMatchObject({
      ...unavailable,
      message: 'own credential could not be read within 5000 ms',
    });
    expect(await claimed).toMatchObject({
      ...unavailable,
      message: 'own credential could not be read within 5000 ms',
    });
    expect(own.clock.pendingTimers).toBe(0);
    await client.close();
  });

  it('names its audiences', async () => {
    await expect(own.client.ownClaims()).resolves.toMatchObject({
      iss: own.cluster.issuer,
      aud: own.cluster.apiAudiences,
    });
    const client = new ApiServerClient({ ...own.connection, credential: undefined }, own);
    await expect(client.ownClaims()).resolves.toBeUndefined();
    await expect(
      client.request({ method: 'GET', path: '/openid/v1/jwks', deadline: endless() }),
    ).resolves.toHaveProperty('status', 403);
    await client.close();
    rmSync(own.tokenFile);
    await own.clock.advance(400 * 24 * 3_600_000);
    await expect(own.client.ownClaims()).rejects.toMatchObject(unavailable);
  });

  it('never appears in errors and log lines', async () => {
    const said: unknown[] = [own.log.events];
    for (const status of [401, 500, 302]) {
      own.cluster.faults.set({ on: 'jwks', fault: { kind: 'status', status } });
      said.push(await ask({ retry: false }).catch((error: unknown) => error));
    }
    await own.cluster.outage();
    said.push(await ask({ retry: false }).catch((error: unknown) => error));
    expect(said).toHaveLength(5);
    expect(inspect(said, { depth: 10, showHidden: true }) + JSON.stringify(said)).not.toMatch(/eyJ/);
  });
});
