import * as grpc from '@grpc/grpc-js';

const json = {
  requestSerialize: (value: unknown) => Buffer.from(JSON.stringify(value)),
  requestDeserialize: (bytes: Buffer) => JSON.parse(bytes.toString()) as unknown,
  responseSerialize: (value: unknown) => Buffer.from(JSON.stringify(value)),
  responseDeserialize: (bytes: Buffer) => JSON.parse(bytes.toString()) as unknown,
};
/** The methods of the service, with JSON as the encoding. */
export const service = {
  get: { path: '/Orders/Get', requestStream: false, responseStream: false, ...json },
  list: { path: '/Orders/List', requestStream: false, responseStream: true, ...json },
  put: { path: '/Orders/Put', requestStream: true, responseStream: false, ...json },
};
export const OrdersClient = grpc.makeGenericClientConstructor(service, 'Orders');

type Done = (error: Error | null, value?: unknown) => void;
export interface Orders extends grpc.Client {
  get(value: unknown, metadata: grpc.Metadata, options: grpc.CallOptions, done: Done): grpc.ClientUnaryCall;
  list(value: unknown): grpc.ClientReadableStream<unknown>;
  put(done: Done): grpc.ClientWritableStream<unknown>;
}

/** All messages of a stream. */
export async function all(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of stream) values.push(value);
  return values;
}

/** @param own the caller's own `authorization` */
export function get(client: Orders, options: grpc.CallOptions = {}, own?: string): Promise<unknown> {
  const metadata = new grpc.Metadata();
  if (own !== undefined) metadata.set('authorization', own);
  return new Promise((resolve, reject) =>
    client.get({ a: 1 }, metadata, options, (error, value) => (error ? reject(error) : resolve(value))),
  );
}
