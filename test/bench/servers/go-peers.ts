import { type BenchContext } from '../figure.js';
import { AUDIENCE, type Cluster } from '../support/cluster.js';
import { canReadCpu } from '../support/process-cpu.js';
import { type Server, startServer, type Unavailable } from '../support/server.js';
import { peerProgram } from './go-programs.js';
import { startNest } from './nest.js';

/** The folders in peers/cmd. */
const programs = {
  /** net/http without authentication. */
  'go-none': 'peer-none',
  /** net/http, and go-oidc verifies the token of each request. */
  'go-oidc': 'peer-goidc',
  /** net/http, and the delegating authenticator of k8s.io/apiserver with its token cache. */
  'go-delegating': 'peer-delegating',
  /**
   * The two parts that kube-rbac-proxy cannot do without, in front of the Nest route without a guard: the delegating
   * authenticator, and the reverse proxy of net/http. Only its own CPU counts. The lower bound for a sidecar.
   */
  'go-sidecar': 'peer-sidecar',
} as const;

export type GoPeerName = keyof typeof programs;

/** As many threads for Go code as Node has for JavaScript: all servers run on one core. */
export const GO_ENVIRONMENT = { GOMAXPROCS: '1' };

export const UNREADABLE_CPU = { unavailable: 'this system does not show the CPU time of another process' };

export function isGoPeer(name: string): name is GoPeerName {
  return Object.hasOwn(programs, name);
}

export async function startGoPeer(
  name: GoPeerName,
  context: BenchContext,
  cluster: Cluster,
): Promise<Server | Unavailable> {
  if (!canReadCpu) return UNREADABLE_CPU;
  const program = await peerProgram(context, programs[name]);
  if ('unavailable' in program) return program;
  const upstream = name === 'go-sidecar' ? await startNest(context, cluster, 'none') : undefined;
  const { issuer, url, caFile, kubeconfigFile } = cluster.files;
  const args = Object.entries({
    issuer,
    'discovery-url': url,
    'ca-file': caFile,
    audience: AUDIENCE,
    kubeconfig: kubeconfigFile,
    upstream: upstream?.url ?? '',
  }).map(([flag, value]) => `-${flag}=${value}`);
  const command = { command: program.path, args, environment: GO_ENVIRONMENT };
  const server = await startServer(context, { name, ...command });
  return upstream ? { ...server, uncounted: upstream.processes } : server;
}
