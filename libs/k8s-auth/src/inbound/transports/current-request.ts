import { AsyncLocalStorage } from 'node:async_hooks';
import { type NodeRequest } from '../request/bearer-token.js';
import { type InboundRoot } from '../routes/route.js';
import { httpServersOf } from './http-servers.js';

const current = new AsyncLocalStorage<NodeRequest>();
const tracked = new WeakSet<object>();

/**
 * Remembers for each request of an HTTP server which request its code runs for. Needed for GraphQL only: an application may
 * use one context for several requests, and the drivers of Nest then leave the first request in it.
 * @internal
 */
export function trackRequests(roots: readonly Pick<InboundRoot, 'adapterHost'>[]): void {
  for (const server of httpServersOf(roots)) {
    if (tracked.has(server)) continue;
    tracked.add(server);
    server.prependListener('request', (request) => current.enterWith(request));
  }
}

/** Whether this code runs for another HTTP request than `node`. `false` if that is unknown, as over a WebSocket. @internal */
export function isOfAnotherRequest(node: NodeRequest): boolean {
  const actual = current.getStore();
  return actual !== undefined && actual !== node;
}
