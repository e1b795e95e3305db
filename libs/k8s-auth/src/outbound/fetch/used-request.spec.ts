import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { createK8sAuthFetch } from './create-k8s-auth-fetch.js';

it('a Request whose body was used fails for its caller only, not as an unhandled rejection', async () => {
  const server = createServer((request, response) => request.resume().on('end', () => response.end('ok')));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', note);
  try {
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const tokenSource = { getToken: () => Promise.resolve('token'), peekToken: () => 'token' };
    const send = createK8sAuthFetch(tokenSource);
    const request = new Request(origin, { method: 'POST', body: 'x' });
    expect((await send(request)).status).toBe(200);
    await expect(send(request)).rejects.toMatchObject({ name: 'TypeError' });
    // Node reports an unhandled rejection after the turn in which it was rejected.
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', note);
    server.closeAllConnections();
    server.close();
  }
});
