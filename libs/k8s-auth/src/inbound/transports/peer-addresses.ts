import { type Socket } from 'node:net';
import { type InboundRoot } from '../routes/route.js';
import { httpServersOf } from './http-servers.js';

/**
 * Reads the address of each peer when it connects, and gives its socket the properties that Node adds with the first
 * response (HTTP/1). Node keeps the address in the socket, so it is still known after the peer has disconnected. Not done for the
 * second server that Fastify opens if it listens on `localhost`.
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

/**
 * A socket of a server, with `_httpMessage`, which Node's types do not declare. It may be any stream: applications may emit
 * `connection` themselves.
 */
type ServerSocket = Partial<Socket> & { _httpMessage?: object | null };

function prepare(socket: ServerSocket): void {
  void socket.remoteAddress;
  if (typeof socket.setTimeout !== 'function') return;
  if (socket.timeout === undefined) socket.setTimeout(0);
  // `null` means that no response is being written. If a version of Node does not know the property, nothing reads it.
  if (socket._httpMessage === undefined) socket._httpMessage = null;
}
