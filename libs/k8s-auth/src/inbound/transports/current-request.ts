import { AsyncLocalStorage } from 'node:async_hooks';
import { type Server } from 'node:http';
import { type AbstractHttpAdapter } from '@nestjs/core';
import { type NodeRequest } from '../request/bearer-token.js';
import { type InboundRoot } from '../routes/route.js';
import { hasMethods, shapeOf } from './shapes.js';

const current = new AsyncLocalStorage<NodeRequest>();
const tracked = new WeakSet<object>();

/**
 * Remembers for each request of an HTTP server which request its code runs for. Needed for GraphQL only: an application may
 * use one context for several requests, and the drivers of Nest then leave the first request in it.
 * @internal
 */
export function trackRequests(roots: readonly Pick<InboundRoot, 'adapterHost'>[]): void {
  for (const { adapterHost } of roots) {
    // Absent in an application that serves no HTTP.
    const adapter = adapterHost.httpAdapter as AbstractHttpAdapter | undefined;
    const server = shapeOf(adapter?.getHttpServer());
    if (!server || tracked.has(server) || !hasMethods(server, 'prependListener')) continue;
    tracked.add(server);
    (server as unknown as Server).prependListener('request', (request) => current.enterWith(request));
  }
}

/** Whether this code runs for another HTTP request than `node`. `false` if that is unknown, as over a WebSocket. @internal */
export function isOfAnotherRequest(node: NodeRequest): boolean {
  const actual = current.getStore();
  return actual !== undefined && actual !== node;
}
