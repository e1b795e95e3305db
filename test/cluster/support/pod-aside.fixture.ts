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
// Goes on when \`kubectl exec\` has ended, as it has to when there is no API server.
const IN_BACKGROUND = `
const options = { detached: true, stdio: 'ignore' };
require('node:child_process').spawn(process.execPath, ['-e', process.argv[1]], options).unref();
`;

/** A pod of a deployment that gets no requests any more, its Service has another one: for a closer look at it. */
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
   * Its process ends when the API server is gone, and the kubelet starts it again by itself: so a start without an API
   * server, which creates no pods then, can be had.
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

  /** Resolves when the API server has heard of it: what it says of a pod may be from before the outage. */
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
