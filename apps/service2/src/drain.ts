import { once } from 'node:events';
import { type Server, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/**
 * How long a client has to use its open connection again and be told that this was the last time. Closing an idle
 * connection loses the request that may be on its way (RFC 9112 §9.5); whoever calls once a second loses none.
 */
const LINGER_MS = 1000;

/**
 * Lets a server end without losing a request, be it in hand or on its way. No connection holds the end up, neither one
 * that is kept alive nor one that never said anything; only an answer that is owed does.
 * @returns what ends it: no new connections, and resolved when the last is closed
 */
export function drainable(server: Server): () => Promise<void> {
  const connections = new Set<Socket>();
  const inHand = new Set<ServerResponse>();
  let draining: Promise<void> | undefined;
  let closing = false;

  const announce = (response: ServerResponse) => {
    if (!response.headersSent) response.setHeader('Connection', 'close');
  };
  const closeWhenAnswered = () => {
    if (closing && inHand.size === 0) server.closeAllConnections();
  };

  server.on('connection', (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  server.prependListener('request', (_request, response) => {
    inHand.add(response);
    if (draining) announce(response);
    response.once('close', () => {
      inHand.delete(response);
      closeWhenAnswered();
    });
  });

  async function allClosed(): Promise<void> {
    for (const socket of connections) await new Promise((resolve) => socket.once('close', resolve));
  }

  async function drain(): Promise<void> {
    inHand.forEach(announce);
    await Promise.race([allClosed(), setTimeout(LINGER_MS, undefined, { ref: false })]);
    const closed = once(server, 'close');
    server.close();
    closing = true;
    closeWhenAnswered();
    await closed;
  }
  return () => (draining ??= drain());
}
