import { type Socket } from 'node:net';
import { type InboundRoot } from '../routes/route.js';
import { httpServersOf } from './http-servers.js';

/**
 * Reads the address of each peer when it connects. Node then keeps it in the socket, so it is still known after the peer has
 * disconnected.
 *
 * Verifiers need the address for tokens that they have not seen before. If it were read only then, each socket would get its
 * property at another time. Sockets of more than four shapes make Node's own code slow, for all requests: V8 compiles it
 * for no more than four.
 * @internal
 */
export function readPeerAddresses(roots: readonly Pick<InboundRoot, 'adapterHost'>[]): void {
  for (const server of httpServersOf(roots)) {
    for (const event of ['connection', 'secureConnection'])
      if (!server.listeners(event).includes(readAddress)) server.on(event, readAddress);
  }
}

function readAddress(socket: Socket): void {
  void socket.remoteAddress;
}
