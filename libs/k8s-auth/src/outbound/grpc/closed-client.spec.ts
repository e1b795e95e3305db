import * as grpc from '@grpc/grpc-js';
import { describe, expect, it } from '@jest/globals';
import { type TokensByOrigin } from '../k8s-auth-token-source.js';
import { k8sAuthGrpcInterceptor } from './k8s-auth-grpc-interceptor.js';

const asItIs = (value: Buffer) => value;
const definition: grpc.ServiceDefinition = {
  greet: {
    path: '/Greeter/Greet',
    requestStream: false,
    responseStream: false,
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  },
};

interface Greeter extends grpc.Client {
  greet(request: Buffer, callback: (error: grpc.ServiceError | null) => void): void;
}

/** A call whose client is closed while the token is read. @returns the status with which it ends */
async function closeDuring(wait: 'getToken' | 'renewToken', port: number): Promise<grpc.status | undefined> {
  let release = (_: string) => {};
  const isReading = new Promise<void>((resolve) => {
    const read = () =>
      new Promise<string>((done) => {
        release = done;
        resolve();
      });
    const source: TokensByOrigin =
      wait === 'getToken'
        ? { getToken: read }
        : { getToken: () => Promise.resolve('first'), peekToken: () => 'first', renewToken: read };
    tokenSource = source;
  });
  const Client = grpc.makeGenericClientConstructor(definition, 'Greeter');
  const interceptors = [k8sAuthGrpcInterceptor(tokenSource, `http://127.0.0.1:${port}`)];
  const options = { interceptors } as unknown as grpc.ClientOptions;
  const client = new Client(
    `127.0.0.1:${port}`,
    grpc.credentials.createInsecure(),
    options,
  ) as unknown as Greeter;
  const status = new Promise<grpc.status | undefined>((resolve) =>
    client.greet(Buffer.from(''), (error) => resolve(error?.code)),
  );
  await isReading;
  client.close();
  release('late');
  return status;
}

let tokenSource: TokensByOrigin;

describe('a gRPC client that is closed while its token is read', () => {
  it('ends its call with UNAVAILABLE', async () => {
    expect(await closeDuring('getToken', 1)).toBe(grpc.status.UNAVAILABLE);
  });

  it('ends its call with the refusal that it was going to answer with another token', async () => {
    const server = new grpc.Server();
    server.addService(definition, {
      greet: (_: unknown, answer: grpc.sendUnaryData<Buffer>) =>
        answer({ code: grpc.status.UNAUTHENTICATED, details: 'refused' }),
    });
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    );
    expect(await closeDuring('renewToken', port)).toBe(grpc.status.UNAUTHENTICATED);
    server.forceShutdown();
  });
});
