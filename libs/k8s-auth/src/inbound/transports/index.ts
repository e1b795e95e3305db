import { type ExecutionContext } from '@nestjs/common';
import { graphqlTransport } from './graphql.transport.js';
import { grpcTransport } from './grpc.transport.js';
import { handshakeTransport } from './handshake.transport.js';
import { natsTransport } from './nats.transport.js';
import { redisTransport, tcpTransport } from './packet.transport.js';
import { socketIoTransport } from './socket-io.transport.js';
import { type Transport } from './transport.js';
import { wsTransport } from './ws.transport.js';

/** The transports other than HTTP routes on which the guard reads credentials. One line per transport. */
const TRANSPORTS: readonly Transport[] = [
  graphqlTransport,
  socketIoTransport,
  wsTransport,
  handshakeTransport,
  grpcTransport,
  natsTransport,
  tcpTransport,
  redisTransport,
];

/** @returns `undefined` for HTTP, and for a transport that the library does not know @internal */
export function findTransport(context: ExecutionContext): Transport | undefined {
  return TRANSPORTS.find((transport) => transport.matches(context));
}
