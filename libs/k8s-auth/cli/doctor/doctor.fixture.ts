import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Environment } from '../../src/config/environment.js';
import { type Clock, systemClock } from '../../src/util/clock.js';
import { LocalCluster, type LocalClusterOptions } from '../../testing/index.js';
import { diagnose, type Diagnosis } from './diagnose.js';
import { type Step, type StepId } from './step.js';

/** A cluster on the machine's clock, with the pod of `shop/orders`, that `doctor` examines. */
export class DoctorBench {
  private readonly servers: Server[] = [];

  private constructor(
    readonly cluster: LocalCluster,
    readonly mount: string,
  ) {}

  static async start(options: LocalClusterOptions = {}): Promise<DoctorBench> {
    const cluster = await LocalCluster.start({ signingAlgorithm: 'ES256', ...options });
    await cluster.createServiceAccount('shop', 'orders');
    const mount = await cluster.writeInClusterMount({ namespace: 'shop', serviceAccount: 'orders' });
    return new DoctorBench(cluster, mount);
  }

  /** The variables of a service that verifies with this cluster. */
  environment(verifier: string, more: Environment = {}): Environment {
    return {
      K8S_AUTH_VERIFIER: verifier,
      K8S_AUTH_AUDIENCE: 'orders',
      K8S_AUTH_API_SERVER_URL: this.cluster.url,
      K8S_AUTH_API_SERVER_CA_FILE: this.cluster.caFile,
      K8S_AUTH_API_SERVER_TOKEN_FILE: join(this.mount, 'token'),
      ...more,
    };
  }

  diagnose(
    environment: Environment,
    { root, clock = systemClock, ...more }: Partial<Diagnosis> & { root?: string; clock?: Clock } = {},
  ): Promise<Step[]> {
    return diagnose({ path: '/', ...more }, { environment, clock, ...(root !== undefined && { root }) });
  }

  /** A destination that answers with the status that the function returns. @returns its origin */
  async serve(statusFor: (authorization: string | undefined) => number): Promise<string> {
    const server = createServer((request, response) => {
      response.writeHead(statusFor(request.headers.authorization)).end();
    });
    this.servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const server of this.servers) server.close();
    await this.cluster.close();
  }
}

/** `{ clock: 'ok', … }` */
export function statusesOf(steps: readonly Step[]): Partial<Record<StepId, string>> {
  return Object.fromEntries(steps.map(({ id, status }) => [id, status]));
}

/** The message of the step, which must exist. */
export function messageOf(steps: readonly Step[], id: StepId): string {
  return steps.find((step) => step.id === id)?.message ?? `there is no step ${id}`;
}
