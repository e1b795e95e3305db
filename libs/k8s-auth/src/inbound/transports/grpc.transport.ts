import { type ExecutionContext } from '@nestjs/common';
import { bodyOf, messageException } from './exceptions.js';
import { hasMethods, shapeOf } from './shapes.js';
import { type Refusal, type Transport } from './transport.js';

/** The used part of the metadata of @grpc/grpc-js. */
interface Metadata {
  get(name: string): readonly unknown[];
  set(name: string, value: string): void;
  remove(name: string): void;
}

/** The used part of a call of @grpc/grpc-js. */
interface Call {
  readonly metadata: Metadata;
  readonly cancelled?: boolean;
  getPeer?(): string;
  emit(event: 'error' | 'cancelled', reason: object | string): void;
  once(event: 'close' | 'cancelled' | 'finish', listener: () => void): void;
}

// https://grpc.io/docs/guides/status-codes/
const STATUS = { UNAUTHENTICATED: 16, FORBIDDEN: 7, SERVICE_UNAVAILABLE: 14 } as const;

const isMetadata = (value: unknown): value is Metadata => hasMethods(value, 'get', 'getMap', 'remove', 'set');

/** Nest passes data, metadata and call; a handler with `@GrpcStreamCall` gets the call first. */
function callOf(context: ExecutionContext): Call | undefined {
  const [first, , third] = context.getArgs<unknown[]>();
  return [third, first].find((one): one is Call => isMetadata(shapeOf(one)?.['metadata']));
}

function metadataOf(context: ExecutionContext): Metadata | undefined {
  const second = context.getArgByIndex<unknown>(1);
  return isMetadata(second) ? second : callOf(context)?.metadata;
}

/** Calls of gRPC. The token is in the metadata `authorization`. */
export const grpcTransport: Transport = {
  name: 'grpc',
  matches: (context) => context.getType() === 'rpc' && metadataOf(context) !== undefined,
  messageOf: metadataOf,
  credentialsOf: (context) => metadataOf(context)?.get('authorization').map(String) ?? [],
  removeCredentials: (context) => metadataOf(context)?.remove('authorization'),
  connectionOf(context) {
    const call = callOf(context);
    return { address: call?.getPeer?.() ?? '', isClosed: () => call?.cancelled === true };
  },
  longLivedOf(context) {
    const call = callOf(context);
    if (!call || !isStream(call)) return undefined;
    const close = () => {
      call.emit('error', statusOf('UNAUTHENTICATED', 'token expired'));
      // Nest then unsubscribes from what the handler has returned.
      call.emit('cancelled', 'token expired');
    };
    const onClosed = (listener: () => void) => {
      for (const event of ['cancelled', 'close', 'finish'] as const) call.once(event, listener);
    };
    return { key: call, close, onClosed };
  },
  toError(context, refusal) {
    const { code, message } = refusal;
    const metadata = retryMetadata(metadataOf(context), refusal);
    const status = { ...bodyOf(refusal), ...statusOf(code, message), ...(metadata && { metadata }) };
    return messageException('rpc', status, refusal);
  },
};

function statusOf(code: Refusal['code'], message: string): object {
  return { code: STATUS[code], details: message, message };
}

function isStream(call: Call): boolean {
  return hasMethods(call, 'write') || hasMethods(call, 'read');
}

/**
 * Trailers that tell when to retry: `retry-after` for readers, and `grpc-retry-pushback-ms` for clients of gRPC, which
 * use it for their own retries (gRFC A6).
 */
function retryMetadata(received: Metadata | undefined, { retryAfterSeconds }: Refusal): Metadata | undefined {
  if (!received || retryAfterSeconds === undefined) return undefined;
  const metadata = new (received.constructor as new () => Metadata)();
  metadata.set('retry-after', String(retryAfterSeconds));
  metadata.set('grpc-retry-pushback-ms', String(retryAfterSeconds * 1000));
  return metadata;
}
