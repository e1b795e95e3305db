import { once } from 'node:events';
import { type Server, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/**
 * How long open connections are still served: the next answer on each connection tells the client to close it. Closing
 * an idle connection at once could lose a request that the client has just sent (RFC 9112 §9.5). A client that calls
 * once a second loses no request.
 */
const DRAIN_WAIT_MS = 1000;

/**
 * Prepares a server to shut down without losing a request, whether the request is being handled or is still on the
 * network. Only unanswered requests delay the shutdown; connections that are kept alive or have never sent anything do
 * not.
 * @returns a function that shuts the server down: it accepts no new connections, and resolves when the last one is
 * closed
 */
export function enableDraining(server: Server): () => Promise<void> {
  const connections = new Set<Socket>();
  const openResponses = new Set<ServerResponse>();
  let draining: Promise<void> | undefined;
  let closing = false;

  const announceClose = (response: ServerResponse) => {
    if (!response.headersSent) response.setHeader('Connection', 'close');
  };
  const closeWhenAnswered = () => {
    if (closing && openResponses.size === 0) server.closeAllConnections();
  };

  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  server.prependListener('request', (_request, response) => {
    openResponses.add(response);
    if (draining) announceClose(response);
    response.once('close', () => {
      openResponses.delete(response);
      closeWhenAnswered();
    });
  });

  async function allClosed(): Promise<void> {
    for (const socket of connections) await new Promise((resolve) => socket.once('close', resolve));
  }

  async function drain(): Promise<void> {
    openResponses.forEach(announceClose);
    await Promise.race([allClosed(), setTimeout(DRAIN_WAIT_MS, undefined, { ref: false })]);
    const closed = once(server, 'close');
    server.close();
    closing = true;
    closeWhenAnswered();
    await closed;
  }
  return () => (draining ??= drain());
}
