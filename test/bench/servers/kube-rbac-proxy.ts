import { writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type BenchContext } from '../figure.js';
import { AUDIENCE, type Cluster } from '../support/cluster.js';
import { canReadCpu } from '../support/process-cpu.js';
import { type Server, startServer, type Unavailable } from '../support/server.js';
import { GO_ENVIRONMENT, UNREADABLE_CPU } from './go-peers.js';
import { kubeRbacProxyProgram } from './go-programs.js';
import { startNest } from './nest.js';

const POLL_MS = 50;
const START_LIMIT_MS = 20_000;

// Every authenticated caller may read the route, as with our guard. A static rule costs less than an access review.
const AUTHORIZATION = { static: [{ path: '/', verb: 'get', resourceRequest: false }] };

/**
 * kube-rbac-proxy in front of the Nest route without a guard, with TokenReviews, which it caches for 2 minutes. Only its
 * own CPU counts. It serves plain HTTP, which it calls deprecated: with TLS for the callers it costs more.
 */
export async function startKubeRbacProxy(
  context: BenchContext,
  cluster: Cluster,
): Promise<Server | Unavailable> {
  if (!canReadCpu) return UNREADABLE_CPU;
  const program = await kubeRbacProxyProgram(context);
  if ('unavailable' in program) return program;
  const upstream = await startNest(context, cluster, 'none');
  const configFile = join(context.directory, 'kube-rbac-proxy.json');
  writeFileSync(configFile, JSON.stringify({ authorization: AUTHORIZATION }));
  const port = await findFreePort();
  const flags = [
    `--insecure-listen-address=127.0.0.1:${port}`,
    `--upstream=${upstream.url}`,
    `--kubeconfig=${cluster.files.kubeconfigFile}`,
    `--auth-token-audiences=${AUDIENCE}`,
    `--config-file=${configFile}`,
    // Its default of 5 reviews a second would need 40 s for the tokens of the bench.
    '--kube-api-qps=200',
    '--kube-api-burst=400',
  ];
  // It prints no line when it listens, so a shell prints the line before it becomes the proxy: same process, same CPU.
  const script = 'echo "$1"; shift; exec "$@"';
  const args = [
    '-c',
    script,
    'sh',
    JSON.stringify({ url: `http://127.0.0.1:${port}` }),
    program.path,
    ...flags,
  ];
  const name = 'kube-rbac-proxy';
  const server = await startServer(context, { name, command: 'sh', args, environment: GO_ENVIRONMENT });
  await untilItListens(context, port);
  return { ...server, uncounted: upstream.processes };
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** @throws {Error} no connection within the limit */
async function untilItListens({ signal }: BenchContext, port: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < START_LIMIT_MS; waitedMs += POLL_MS) {
    signal.throwIfAborted();
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await delay(POLL_MS, undefined, { signal });
  }
  throw new Error(`kube-rbac-proxy: did not listen within ${START_LIMIT_MS} ms`);
}
