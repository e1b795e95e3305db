import { type Deployment, type RunningPod } from './deployment.fixture.js';

// Waits until the API server takes no connection, then ends the container's first process as `kill 1` would.
const END_DURING_OUTAGE = `
const { connect } = require('node:net');
const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = process.env;
function ask() {
  const socket = connect({ host, port });
  socket.on('connect', () => { socket.destroy(); setTimeout(ask, 200); });
  socket.on('error', () => process.kill(1, 'SIGTERM'));
}
ask();
`;
// Keeps running after \`kubectl exec\` has ended, because \`kubectl exec\` ends when the API server stops.
const IN_BACKGROUND = `
const options = { detached: true, stdio: 'ignore' };
require('node:child_process').spawn(process.execPath, ['-e', process.argv[1]], options).unref();
`;

/** A pod that is taken out of its Service, so that a test can examine it; another pod takes its place. */
export class PodAside {
  private constructor(
    private readonly deployment: Deployment,
    private readonly pod: RunningPod,
  ) {}

  get origin(): string {
    return this.pod.origin;
  }

  /** Resolves when the pod that takes its place is ready. */
  static async take(deployment: Deployment, service: string): Promise<PodAside> {
    const [pod] = await deployment.pods(service);
    if (!pod) throw new Error(`${service} has no pod`);
    await deployment.kubectl(
      'label',
      'pod',
      pod.name,
      `app.kubernetes.io/name=${service}-aside`,
      '--overwrite',
    );
    await deployment.rolledOut(service);
    return new PodAside(deployment, pod);
  }

  /**
   * Makes its process exit when the API server is unreachable; the kubelet then restarts it. So a test sees a start
   * without an API server, although no new pods can be created then.
   */
  async endDuringOutage(): Promise<void> {
    await this.deployment.kubectl(
      'exec',
      this.pod.name,
      '--',
      'node',
      '-e',
      IN_BACKGROUND,
      END_DURING_OUTAGE,
    );
  }

  /** Resolves when the API server has the new status, because its status of a pod may be from before the outage. */
  async startedAgain(): Promise<void> {
    const wait = (condition: string) =>
      this.deployment.kubectl('wait', `pod/${this.pod.name}`, `--for=${condition}`, '--timeout=60s');
    await wait('jsonpath={.status.containerStatuses[0].restartCount}=1');
    await wait('condition=Ready');
  }

  /** Of the container that runs now. */
  log(): Promise<string> {
    return this.deployment.kubectl('logs', this.pod.name);
  }
}
