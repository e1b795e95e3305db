import { type ApplicationConfig } from '@nestjs/core';
import { type NodeRequest, nodeRequestOf } from '../request/bearer-token.js';

/** The used part of Nest's WebSocketAdapter. */
interface ClientBinder {
  bindClientConnect?(server: unknown, callback: (...args: unknown[]) => void): void;
}

/** Client -> the request that opened its connection. The package ws does not store the request on the client. */
const requests = new WeakMap<object, NodeRequest>();
const watched = new WeakSet<object>();

/** @internal */
export function upgradeRequestOf(client: object): NodeRequest | undefined {
  return requests.get(client);
}

/**
 * Stores the upgrade request of each connection that the application's WebSocket adapter announces. Call it before the
 * application sets its adapter.
 * @internal
 */
export function storeUpgradeRequests(config: ApplicationConfig): void {
  watch(config.getIoAdapter());
  const setIoAdapter = config.setIoAdapter.bind(config);
  config.setIoAdapter = (adapter) => {
    watch(adapter);
    setIoAdapter(adapter);
  };
}

function watch(adapter: ClientBinder | null | undefined): void {
  if (typeof adapter?.bindClientConnect !== 'function' || watched.has(adapter)) return;
  watched.add(adapter);
  const bind = adapter.bindClientConnect.bind(adapter);
  adapter.bindClientConnect = (server, callback) =>
    bind(server, (...args) => {
      const [client, request] = args;
      const node = nodeRequestOf(request);
      if (node && typeof client === 'object' && client !== null) requests.set(client, node);
      callback(...args);
    });
}
