import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import axios, { type AxiosError } from 'axios';
import { attachK8sAuth } from './attach-k8s-auth.js';
import { type ListedServer, OutboundBench } from './outbound.fixture.js';

let bench: OutboundBench;
let listed: ListedServer;
let otherName: string;

beforeEach(async () => {
  bench = new OutboundBench();
  listed = await bench.listedServer('orders.shop.svc');
  otherName = listed.server.origin('orders.shop.svc.cluster.local');
  listed.server.answer = (_arrival, response) => response.writeHead(401).end('refused');
});

afterEach(() => bench.close());

describe('a 401 of a destination under another name', () => {
  it('causes one warning, and the caller gets the same error as without it', async () => {
    for (let request = 0; request < 3; request++) {
      const error = await listed.client.get(`${otherName}/orders`).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: 'AxiosError', message: 'Request failed with status code 401' });
      expect((error as AxiosError).response?.data).toBe('refused');
    }
    expect(listed.server.arrivals.map(({ authorization }) => authorization)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(bench.log.warnings).toEqual([
      expect.objectContaining({ origin: otherName, destination: listed.origin, status: 401 }),
    ]);
  });

  it('causes the warning also when validateStatus counts it as a success', async () => {
    await listed.client.get(otherName, { validateStatus: () => true });
    expect(bench.log.warnings).toEqual([expect.objectContaining({ status: 401 })]);
  });

  it('causes no warning for other statuses, failed connections and the credentials of the caller', async () => {
    await listed.client.get(otherName, { headers: { Authorization: 'Basic eDp5' } }).catch(() => {});
    listed.server.answer = (_arrival, response) => response.writeHead(403).end();
    await listed.client.get(otherName).catch(() => {});
    listed.server.answer = (_arrival, response) => void response.destroy();
    await listed.client.get(otherName).catch(() => {});
    expect(bench.log.warnings).toEqual([]);
  });

  it('is only a note beside a token source of the user, which takes no notes', async () => {
    const client = axios.create();
    attachK8sAuth(client, { getToken: () => Promise.resolve(undefined) });
    await expect(client.get(listed.server.origin())).rejects.toThrow('status code 401');
  });
});
