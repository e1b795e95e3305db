import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type TokensByOrigin } from '../k8s-auth-token-source.js';
import { k8sAuthGrpcInterceptor } from './k8s-auth-grpc-interceptor.js';
import { type Orders, OrdersClient, service } from './orders-service.fixture.js';

let server: grpc.Server;
let address: string;
let client: grpc.Client | undefined;
/** The `authorization` of each call that has arrived. */
let seen: string[];
/** What the server does with each call. By default it returns what it got. */
let answer: (call: grpc.ServerUnaryCall<unknown, unknown>, done: grpc.sendUnaryData<unknown>) => void;

beforeEach(async () => {
  seen = [];
  answer = (call, done) => done(null, call.request);
  server = new grpc.Server();
  const unused = () => {};
  server.addService(service, {
    get: (call: grpc.ServerUnaryCall<unknown, unknown>, done: grpc.sendUnaryData<unknown>) => {
      seen.push(call.metadata.get('authorization').join());
      answer(call, done);
    },
    list: unused,
    put: unused,
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  address = `127.0.0.1:${port}`;
});
afterEach(() => {
  client?.close();
  server.forceShutdown();
});

/** Something that happens when the test, or the server, says so. */
class Later<Value> {
  release!: (value: Value) => void;
  readonly promise = new Promise<Value>((resolve) => (this.release = resolve));
}

function clientOf(tokenSource: TokensByOrigin): Orders {
  const interceptors = [k8sAuthGrpcInterceptor(tokenSource, `http://${address}`)];
  client = new OrdersClient(address, grpc.credentials.createInsecure(), { interceptors });
  return client as Orders;
}

/** Starts a unary call. */
function start(orders: Orders) {
  let call!: grpc.ClientUnaryCall;
  const result = new Promise<unknown>((resolve, reject) => {
    const done = (error: Error | null, value?: unknown) => (error ? reject(error) : resolve(value));
    call = orders.get({ a: 1 }, new grpc.Metadata(), {}, done);
  });
  return { call, result };
}

const outcomeOf = (result: Promise<unknown>) => result.catch((error: unknown) => error);
const cancelled = expect.objectContaining({ code: grpc.status.CANCELLED }) as unknown;

describe('a gRPC call before its token is there', () => {
  it('has no peer, and is sent in full with the token afterwards', async () => {
    const token = new Later<string>();
    const { call, result } = start(clientOf({ getToken: () => token.promise }));
    expect(call.getPeer()).toBe('unknown');
    expect(call.getAuthContext()).toBeNull();
    token.release('late');
    expect(await result).toEqual({ a: 1 });
    expect(call.getPeer()).toContain(address);
    expect(call.getAuthContext()).toEqual({});
    expect(seen).toEqual(['Bearer late']);
  });

  it('is sent without a token if the source has none for the origin', async () => {
    expect(await start(clientOf({ getToken: () => Promise.resolve(undefined) })).result).toEqual({ a: 1 });
    expect(seen).toEqual(['']);
  });

  it('is never sent once it was cancelled, even if the token arrives later', async () => {
    const token = new Later<string>();
    const orders = clientOf({ getToken: () => token.promise });
    const { call, result } = start(orders);
    call.cancel();
    call.cancel();
    expect(await outcomeOf(result)).toEqual(cancelled);
    token.release('late');
    await start(orders).result;
    expect(seen).toEqual(['Bearer late']);
  });
});

describe('a gRPC call that was sent with a token', () => {
  it('can be cancelled while the server works on it', async () => {
    const arrival = new Later<void>();
    const cancellation = new Later<void>();
    answer = (received) => {
      received.on('cancelled', cancellation.release);
      arrival.release();
    };
    const known = { peekToken: () => 'known', getToken: () => Promise.resolve('known') };
    const { call, result } = start(clientOf(known));
    await arrival.promise;
    call.cancel();
    expect(await outcomeOf(result)).toEqual(cancelled);
    await cancellation.promise;
    expect(seen).toEqual(['Bearer known']);
  });

  it('is not repeated if it is cancelled while another token is read', async () => {
    answer = (_, done) => done({ code: grpc.status.UNAUTHENTICATED, details: 'refused' });
    const token = new Later<string>();
    const reading = new Later<void>();
    const renewToken = () => {
      reading.release();
      return token.promise;
    };
    const known = { peekToken: () => 'old', getToken: () => Promise.resolve('old') };
    const { call, result } = start(clientOf({ ...known, renewToken }));
    await reading.promise;
    call.cancel();
    token.release('new');
    expect(await outcomeOf(result)).toEqual(cancelled);
    expect(seen).toEqual(['Bearer old']);
  });
});
