import { type CanActivate } from '@nestjs/common';
import { type ApplicationConfig, type ModulesContainer } from '@nestjs/core';
import { type NodeRequest, nodeRequestOf } from '../request/bearer-token.js';
import { placeOf } from '../routes/gateway-connections.js';
import { ConnectionServers } from './connection-servers.js';
import { type Handshake, handshakeOf, keepHandshake } from './handshake.js';
import { type RefusedConnectionError } from './handshake.transport.js';
import { hasMethods, shapeOf } from './shapes.js';
import { handshakeOfSocketIo, isSocketIo } from './socket-io.transport.js';
import { runs, type VerifyClient, verifyClientWith } from './verify-client.js';
import { handshakeOfClient, handshakeOfUpgrade, POLICY_VIOLATION } from './ws.transport.js';

/** The used part of Nest's WebSocketAdapter. */
interface Adapter {
  create?(port: number, options?: Record<string, unknown>): unknown;
  bindClientConnect?(server: unknown, callback: (...args: unknown[]) => void): void;
}

/** The used part of a server or a namespace of socket.io. */
interface SocketIoServer {
  /** Of a namespace. */
  readonly server?: SocketIoServer;
  readonly opts?: { readonly connectionStateRecovery?: { skipMiddlewares?: boolean } };
  use(middleware: (socket: unknown, next: (error?: unknown) => void) => void): void;
}

/**
 * Makes each server of the application's WebSocket adapter refuse clients that its gateways do not accept. Call it before
 * the application sets its adapter.
 *
 * A server of socket.io has middleware for this, and the package ws has the option `verifyClient`: a refused client is never
 * connected. A client of any other server is decided before Nest hears of it, and disconnected if it is refused.
 * @returns the servers, for the warnings of startup
 * @internal
 */
export function guardConnections(
  config: ApplicationConfig,
  modules: ModulesContainer,
  guard: CanActivate,
): ConnectionServers {
  const servers = new ConnectionServers(config, modules, guard);
  // Applications may share an adapter. Each of them decides about the clients of its own gateways.
  const watched = new WeakSet<object>();
  const watch = (adapter: Adapter | null | undefined) => {
    if (!adapter || watched.has(adapter)) return;
    watched.add(adapter);
    guardAdapter(adapter, servers);
  };
  watch(config.getIoAdapter());
  const setIoAdapter = config.setIoAdapter.bind(config);
  config.setIoAdapter = (adapter) => {
    watch(adapter);
    setIoAdapter(adapter);
  };
  return servers;
}

function guardAdapter(adapter: Adapter, servers: ConnectionServers): void {
  const [create, bind] = [adapter.create?.bind(adapter), adapter.bindClientConnect?.bind(adapter)];
  if (create) adapter.create = (port, options) => createGuarded(create, port, options, servers);
  if (bind) {
    adapter.bindClientConnect = (server, callback) =>
      bind(server, (...args) => connect(server, args, servers, () => callback(...args)));
  }
}

function createGuarded(
  create: NonNullable<Adapter['create']>,
  port: number,
  options: Record<string, unknown> | undefined,
  servers: ConnectionServers,
): unknown {
  const place = placeOf(port, options);
  // Options with a server ask for a namespace of it.
  const isNew = options?.['server'] === undefined;
  const verifyClient = verifyClientWith(options?.['verifyClient'] as VerifyClient | undefined, (request) =>
    servers.decide(
      handshakeOf(request) ?? keepHandshake(request, handshakeOfUpgrade(request)),
      server as object,
    ),
  );
  const server: unknown = create(port, isNew ? { ...options, verifyClient } : options);
  if (typeof server !== 'object' || server === null) return server;
  const isKnown = servers.add(server, place);
  if (isKnown || runs(shapeOf(shapeOf(server)?.['options'])?.['verifyClient'], verifyClient)) return server;
  if (hasMethods(server, 'use', 'fetchSockets')) {
    runMiddlewareForRecovered(server as SocketIoServer);
    (server as SocketIoServer).use((socket, next) => {
      const handshake = handshakeOfNew(socket as object, undefined);
      servers.decide(handshake, server).then(() => next(), next);
    });
  } else servers.noteUnsupported(server);
  return server;
}

/**
 * Without middleware, a client whose state is recovered is connected before it is decided. If it disconnects before that,
 * socket.io keeps its state again, and a caller who is refused could receive missed events without end.
 */
function runMiddlewareForRecovered({ server, opts }: SocketIoServer): void {
  const recovery = (server?.opts ?? opts)?.connectionStateRecovery;
  if (recovery) recovery.skipMiddlewares = false;
}

/** Runs before Nest passes the client to the gateways. */
function connect(
  server: unknown,
  [client, request]: readonly unknown[],
  servers: ConnectionServers,
  proceed: () => void,
): void {
  if (typeof client !== 'object' || client === null) return;
  const node = nodeRequestOf(request);
  const handshake = handshakeOfNew(client, node);
  const ofAdapter = typeof server === 'object' && server !== null ? server : servers;
  const accept = () => {
    // Nest would not be told of the end of a client that has disconnected during the decision.
    if (handshake.isClosed()) return closeAny(client, 'connection has ended');
    handshake.connect(() => closeAny(client, 'token expired'));
    proceed();
  };
  if (servers.hasAccepted(handshake, ofAdapter)) return accept();
  servers
    .decide(handshake, ofAdapter)
    .then(accept, (error: RefusedConnectionError) => closeAny(client, error.message));
}

/** @param node the request of its upgrade, which a client of socket.io has itself */
function handshakeOfNew(client: object, node: NodeRequest | undefined): Handshake {
  const known = handshakeOf(client);
  if (known) return known;
  const ofUpgrade = node && handshakeOf(node);
  if (ofUpgrade) return keepHandshake(client, ofUpgrade);
  if (isSocketIo(client)) return keepHandshake(client, handshakeOfSocketIo(client));
  return keepHandshake(client, node ? handshakeOfUpgrade(node) : handshakeOfClient(client));
}

interface AnyClient {
  disconnect?(close: boolean): void;
  close?(code: number, reason: string): void;
  terminate?(): void;
}

function closeAny(client: AnyClient, reason: string): void {
  if (isSocketIo(client)) client.disconnect(true);
  else if (hasMethods(client, 'close')) client.close?.(POLICY_VIOLATION, reason);
  else client.terminate?.();
}
