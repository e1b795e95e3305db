import { type Socket } from 'node:net';
import { type InboundRoot } from '../routes/route.js';
import { httpServersOf } from './http-servers.js';

/**
 * Reads the address of each peer when it connects, and sets the `timeout` of its socket to 0, which Node does after the first
 * response. Node keeps the address in the socket, so it is still known after the peer has disconnected. Not done for the second
 * server that Fastify opens if it listens on `localhost`.
 *
 * Verifiers need the address for tokens that they have not seen before. If it were read only then, each socket would get its
 * property at another time. Node's own code becomes slow for all requests if sockets have more than four different lists of
 * properties: V8 compiles it for no more than four (docs/adr/0015-verdicts-in-memory.md).
 * @internal
 */
export function readPeerAddresses(roots: readonly Pick<InboundRoot, 'adapterHost'>[]): void {
  for (const server of httpServersOf(roots)) {
    for (const event of ['connection', 'secureConnection'])
      if (!server.listeners(event).includes(prepare)) server.on(event, prepare);
  }
}

/** @param socket may be any stream: applications may emit `connection` themselves */
function prepare(socket: Partial<Socket>): void {
  void socket.remoteAddress;
  // Node would add the property `timeout` after the first response, with the same effect on the list of properties.
  if (socket.timeout === undefined && typeof socket.setTimeout === 'function') socket.setTimeout(0);
}
