import { type NodeRequest } from '../request/bearer-token.js';

/** Client -> the request that opened its connection. The package ws does not store the request on the client. */
const requests = new WeakMap<object, NodeRequest>();

/** @internal */
export function upgradeRequestOf(client: object): NodeRequest | undefined {
  return requests.get(client);
}

/** @internal */
export function storeUpgradeRequest(client: object, request: NodeRequest): void {
  requests.set(client, request);
}
