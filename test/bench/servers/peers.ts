import { type BenchContext } from '../figure.js';
import { type Cluster } from '../support/cluster.js';
import { type Server } from '../support/server.js';

/**
 * Servers that are not ours. `go-none`: Go net/http without authentication; `go-oidc`: go-oidc verifies each request;
 * `go-delegating`: the delegating authenticator of k8s.io/apiserver with its token cache; `kube-rbac-proxy`: the
 * sidecar in front of the Nest route without a guard. Only the proxy's own CPU counts.
 */
export type PeerName = 'go-none' | 'go-oidc' | 'go-delegating' | 'kube-rbac-proxy';

/** Why a peer does not run here. */
export interface Unavailable {
  readonly unavailable: string;
}

/** Starts a peer on the core of the servers. One that authenticates has proved it when this returns. */
export function startPeer(
  name: PeerName,
  _context: BenchContext,
  _cluster: Cluster,
): Promise<Server | Unavailable> {
  return Promise.resolve({ unavailable: `${name} is not built` });
}

export function isAvailable(peer: Server | Unavailable): peer is Server {
  return !('unavailable' in peer);
}
