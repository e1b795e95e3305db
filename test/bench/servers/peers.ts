import { type BenchContext } from '../figure.js';
import { type Cluster } from '../support/cluster.js';
import { proveAuthentication } from '../support/proof.js';
import { type Server, type Unavailable } from '../support/server.js';
import { type GoPeerName, isGoPeer, startGoPeer } from './go-peers.js';
import { startKubeRbacProxy } from './kube-rbac-proxy.js';
import { type PopularPeerName, startPopular } from './popular.js';

/** Servers that are not ours. See the files that start them for what each of them does. */
export type PeerName = GoPeerName | 'kube-rbac-proxy' | PopularPeerName;

/** Starts a peer on the core of the servers. One that authenticates has proved it when this returns. */
export async function startPeer(
  name: PeerName,
  context: BenchContext,
  cluster: Cluster,
): Promise<Server | Unavailable> {
  const peer = await start(name, context, cluster);
  if (isAvailable(peer) && name !== 'go-none') await proveAuthentication(peer, cluster);
  return peer;
}

export function isAvailable(peer: Server | Unavailable): peer is Server {
  return !('unavailable' in peer);
}

function start(name: PeerName, context: BenchContext, cluster: Cluster): Promise<Server | Unavailable> {
  if (isGoPeer(name)) return startGoPeer(name, context, cluster);
  if (name === 'kube-rbac-proxy') return startKubeRbacProxy(context, cluster);
  return startPopular(name, context, cluster);
}
