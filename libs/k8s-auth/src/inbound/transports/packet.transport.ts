import { type ExecutionContext } from '@nestjs/common';
import { type CallerConnection } from '../../verifiers/verifier.js';
import { bodyOf, messageException } from './exceptions.js';
import { hasMethods, NO_CONNECTION, ownText, type Shape, shapeOf } from './shapes.js';
import { type Transport } from './transport.js';

/** The used part of Nest's TcpContext and RedisContext. Nest 11 does not have `getMetadata`. */
interface PacketContext {
  getMetadata?(): unknown;
  getSocketRef?(): { readonly socket?: { readonly remoteAddress?: string; readonly destroyed?: boolean } };
}

const FIELD = 'authorization';

const contextOf = (context: ExecutionContext) => context.getArgByIndex<PacketContext>(1);

/** The metadata of the packet (Nest 12), and the field `metadata` of its data. */
function metadataOf(context: ExecutionContext): readonly (Shape | undefined)[] {
  const data = shapeOf(context.getArgByIndex<unknown>(0));
  const ofData = data && Object.hasOwn(data, 'metadata') ? data['metadata'] : undefined;
  return [shapeOf(contextOf(context).getMetadata?.()), shapeOf(ofData)];
}

/**
 * Messages without headers. The token is in the field `authorization` of the packet's `metadata`, or, because Nest 11 has
 * no such metadata, of the field `metadata` of its data.
 */
function packetTransport(name: string, methods: readonly string[], isOverSocket: boolean): Transport {
  return {
    name,
    matches: (context) => context.getType() === 'rpc' && hasMethods(contextOf(context), ...methods),
    messageOf: contextOf,
    credentialsOf: (context) => metadataOf(context).flatMap((one) => ownText(one, FIELD) ?? []),
    removeCredentials(context) {
      const [ofPacket, ofData] = metadataOf(context);
      if (ofPacket) Reflect.deleteProperty(ofPacket, FIELD);
      if (!ofData || !Reflect.deleteProperty(ofData, FIELD)) return;
      // A validation pipe may refuse fields that the handler does not know.
      const data = context.getArgByIndex<object>(0);
      if (Object.keys(ofData).length === 0) Reflect.deleteProperty(data, 'metadata');
    },
    connectionOf: (context) => (isOverSocket ? socketConnection(contextOf(context)) : NO_CONNECTION),
    toError: (_, refusal) => messageException('rpc', bodyOf(refusal), refusal),
  };
}

function socketConnection(context: PacketContext): CallerConnection {
  const socket = context.getSocketRef?.().socket;
  return { address: socket?.remoteAddress ?? '', isClosed: () => socket?.destroyed === true };
}

export const tcpTransport = packetTransport('tcp', ['getSocketRef', 'getPattern'], true);
/** `getChannelRef` is a method of RabbitMQ's context, whose messages have headers. */
export const redisTransport = packetTransport('redis', ['getChannel'], false);
