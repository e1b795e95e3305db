import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { CertificateAuthority } from '../../../testing/local-cluster/certificates.js';
import { type TokenVolume } from '../../token-file/token-volume.fixture.js';
import { OutboundBench } from '../axios/outbound.fixture.js';
import { expectNoToken } from '../axios/secrecy.fixture.js';
import { createK8sAuthCallCredentials } from './k8s-auth-call-credentials.js';
import { k8sAuthGrpcInterceptor } from './k8s-auth-grpc-interceptor.js';
import { all, get, type Orders, OrdersClient, service } from './orders-service.fixture.js';

let bench: OutboundBench;
let volume: TokenVolume;
let token: string;
let server: grpc.Server;
let port: number;
/** The `authorization` of each call that has arrived. */
let seen: (string | undefined)[];
let accepts: (token: string | undefined) => boolean;
const clients: grpc.Client[] = [];

async function listen(credentials: grpc.ServerCredentials): Promise<void> {
  server = new grpc.Server();
  const check = (call: { metadata: grpc.Metadata }) => {
    const authorization = call.metadata.get('authorization').map(String);
    seen.push(authorization.length > 1 ? authorization.join() : authorization[0]?.replace('Bearer ', ''));
    return accepts(seen.at(-1)) ? null : { code: grpc.status.UNAUTHENTICATED, details: 'refused' };
  };
  server.addService(service, {
    get: (call: grpc.ServerUnaryCall<unknown, unknown>, done: grpc.sendUnaryData<unknown>) =>
      done(check(call), call.request),
    list: (call: grpc.ServerWritableStream<unknown, unknown>) => {
      const refusal = check(call);
      if (refusal) return void call.emit('error', refusal);
      call.write('one');
      call.write('two');
      call.end();
    },
    put: (call: grpc.ServerReadableStream<unknown, unknown>, done: grpc.sendUnaryData<unknown>) => {
      call.on('data', () => {}).on('end', () => done(check(call), 'put'));
    },
  });
  port = await new Promise((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound))),
  );
}

beforeEach(async () => {
  bench = new OutboundBench();
  ({ volume, token } = await bench.tokenVolume());
  seen = [];
  accepts = () => true;
});

afterEach(async () => {
  clients.splice(0).forEach((client) => client.close());
  server.forceShutdown();
  await bench.close();
});

function clientOf(
  target: string,
  options: grpc.ClientOptions,
  credentials = grpc.credentials.createInsecure(),
): Orders {
  const client = new OrdersClient(target, credentials, options) as unknown as Orders;
  clients.push(client);
  return client;
}

describe('k8sAuthGrpcInterceptor', () => {
  let origin: string;
  let client: Orders;

  beforeEach(async () => {
    await listen(grpc.ServerCredentials.createInsecure());
    origin = `http://127.0.0.1:${port}`;
    client = clientFor(`127.0.0.1:${port}`);
  });

  function clientFor(target: string, options: grpc.ClientOptions = {}): Orders {
    const interceptor = k8sAuthGrpcInterceptor(bench.tokenSource({ [origin]: volume }), origin);
    return clientOf(target, { interceptors: [interceptor], ...options });
  }

  it('sends the token with unary and streaming calls', async () => {
    expect(await get(client)).toEqual({ a: 1 });
    expect(await all(client.list({}))).toEqual(['one', 'two']);
    const put = await new Promise((resolve, reject) => {
      const call = client.put((error, value) => (error ? reject(error) : resolve(value)));
      call.write(1);
      call.end();
    });
    expect(put).toBe('put');
    expect(seen).toEqual([token, token, token]);
  });

  it('sends no token through a channel to another name or port', async () => {
    await get(clientFor(`localhost:${port}`));
    expect(seen).toEqual([undefined]);
  });

  it('sends no token through a proxy of the environment', async () => {
    const tunnel = createServer().on('connect', (_request, socket: Socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const onward = connect(port, '127.0.0.1');
      socket.pipe(onward).pipe(socket);
    });
    await new Promise<void>((resolve) => tunnel.listen(0, '127.0.0.1', resolve));
    process.env['grpc_proxy'] = `http://127.0.0.1:${(tunnel.address() as AddressInfo).port}`;
    try {
      origin = 'http://orders.shop.svc:5000';
      await get(clientFor('orders.shop.svc:5000'));
    } finally {
      delete process.env['grpc_proxy'];
      tunnel.close();
    }
    expect(seen).toEqual([undefined]);
  });

  it('sends the authorization of the caller instead', async () => {
    await get(client, {}, 'Basic bWluZQ==');
    expect(seen).toEqual(['Basic bWluZQ==']);
  });

  it('sends no token with a host that is another', async () => {
    await get(client, { host: 'other.test' });
    await get(client, { host: `127.0.0.1:${port}` });
    expect(seen).toEqual([undefined, token]);
  });

  it('repeats a call once after UNAUTHENTICATED with the token that is now in the file', async () => {
    await get(client);
    const next = await bench.mint.mint();
    accepts = (sent) => sent === next;
    volume.write(next);
    expect(await get(client)).toEqual({ a: 1 });
    expect(seen).toEqual([token, token, next]);
    const third = await bench.mint.mint();
    accepts = (sent) => sent === third;
    volume.write(third);
    expect(await all(client.list({}))).toEqual(['one', 'two']);
    expect(seen.slice(3)).toEqual([next, third]);
  });

  it('returns UNAUTHENTICATED if the file contains no other token, and the second UNAUTHENTICATED', async () => {
    accepts = () => false;
    await expect(get(client)).rejects.toMatchObject({ code: grpc.status.UNAUTHENTICATED });
    expect(seen).toEqual([token]);
    const next = await bench.mint.mint();
    volume.write(next);
    const error: unknown = await get(client).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: grpc.status.UNAUTHENTICATED, details: 'refused' });
    expect(seen).toEqual([token, token, next]);
    for (const text of [token, next]) expectNoToken(error, text);
  });

  it('does not repeat a call that streams its requests', async () => {
    await get(client);
    volume.write(await bench.mint.mint());
    accepts = () => false;
    const refused = new Promise((resolve) => {
      const call = client.put((error) => resolve(error));
      call.write(1);
      call.end();
    });
    expect(await refused).toMatchObject({ code: grpc.status.UNAUTHENTICATED });
    expect(seen).toEqual([token, token]);
  });

  it('does not send a call without a usable token, and names the file', async () => {
    volume.write('');
    const details = expect.stringContaining(volume.file) as unknown as string;
    await expect(get(client)).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE, details });
    await expect(all(client.list({}))).rejects.toMatchObject({ code: grpc.status.UNAVAILABLE, details });
    expect(seen).toEqual([]);
  });

  it('ends the wait for the token when the call is cancelled', async () => {
    const interceptor = k8sAuthGrpcInterceptor({ getToken: () => new Promise(() => {}) }, origin);
    const waiting = clientOf(`127.0.0.1:${port}`, { interceptors: [interceptor] });
    const cancelled = new Promise((resolve) =>
      waiting.get({}, new grpc.Metadata(), {}, (error) => resolve(error)).cancel(),
    );
    expect(await cancelled).toMatchObject({ code: grpc.status.CANCELLED });
    expect(seen).toEqual([]);
  });

  it.each(['orders', 'orders:5000', 'grpc://orders:5000', 'http://orders/path'])(
    'rejects the origin %s',
    (text) => {
      expect(() => k8sAuthGrpcInterceptor({ getToken: () => Promise.resolve(undefined) }, text)).toThrow(
        'expected http://host:port or https://host:port',
      );
    },
  );
});

describe('createK8sAuthCallCredentials', () => {
  let origin: string;
  let ca: Buffer;

  beforeEach(async () => {
    const authority = await CertificateAuthority.create();
    const { cert, key } = await authority.issue({
      subject: 'CN=orders',
      usage: 'server',
      dnsNames: ['localhost'],
    });
    ca = Buffer.from(authority.pem);
    const pair = { cert_chain: Buffer.from(cert), private_key: Buffer.from(key) };
    await listen(grpc.ServerCredentials.createSsl(null, [pair]));
    origin = `https://localhost:${port}`;
  });

  function credentials(destination = origin): grpc.CallCredentials {
    return createK8sAuthCallCredentials(bench.tokenSource({ [destination]: volume }), destination, grpc);
  }

  function secureClient(call: grpc.CallCredentials): Orders {
    const channel = grpc.credentials.combineChannelCredentials(grpc.credentials.createSsl(ca), call);
    return clientOf(`localhost:${port}`, {}, channel);
  }

  it('send the token with each call, and another one when it was replaced', async () => {
    const client = secureClient(credentials());
    await get(client);
    const next = await bench.mint.mint();
    volume.write(next);
    await bench.clock.advance(61_000);
    await get(client);
    expect(seen).toEqual([token, next]);
  });

  it('send no token to another host', async () => {
    await get(secureClient(credentials('https://orders.shop.svc:5000')));
    expect(seen).toEqual([undefined]);
  });

  it('send no call without a usable token, and name the file', async () => {
    volume.write('');
    const error: unknown = await get(secureClient(credentials())).catch((reason: unknown) => reason);
    const details = expect.stringContaining(volume.file) as unknown as string;
    expect(error).toMatchObject({ code: grpc.status.UNAVAILABLE, details });
    expect(seen).toEqual([]);
  });

  it('cannot be combined with an insecure channel, and require an origin with TLS', () => {
    const insecure = grpc.credentials.createInsecure();
    expect(() => grpc.credentials.combineChannelCredentials(insecure, credentials())).toThrow(
      'Cannot compose insecure credentials',
    );
    expect(() => credentials('http://orders.shop.svc:5000')).toThrow('expected https://host:port');
  });

  it('are sent without encryption if they are the option of a call on an insecure channel', async () => {
    const call = credentials();
    server.forceShutdown();
    await listen(grpc.ServerCredentials.createInsecure());
    await get(clientOf(`localhost:${port}`, {}), { credentials: call });
    expect(seen).toEqual([token]);
  });

  it('also replay with the interceptor beside TLS', async () => {
    const interceptor = k8sAuthGrpcInterceptor(bench.tokenSource({ [origin]: volume }), origin);
    const client = clientOf(
      `localhost:${port}`,
      { interceptors: [interceptor] },
      grpc.credentials.createSsl(ca),
    );
    await get(client);
    const next = await bench.mint.mint();
    accepts = (sent) => sent === next;
    volume.write(next);
    await get(client);
    expect(seen).toEqual([token, token, next]);
  });
});
