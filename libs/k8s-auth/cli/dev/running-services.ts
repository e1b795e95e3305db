import { type Clock } from '../../src/util/clock.js';
import { type DevCluster } from './dev-cluster.js';
import { DevService } from './dev-service.js';
import { type DevOptions, nameOf, pathOf, type ServiceOptions } from './dev.options.js';
import { podEnvironment, type PodFiles } from './pod-environment.js';
import { waitUntilReady } from './ports.js';
import { urlOf } from './try-lines.js';

/** After this time, a service that does not listen may use another port. */
const HINT_AFTER_MS = 30_000;

export type ServiceState = 'starting' | 'ready' | 'stopped';

export interface RunningServicesOptions {
  readonly options: DevOptions;
  readonly cluster: DevCluster;
  readonly clock: Clock;
  /** The user's project. */
  readonly directory: string;
  /** Aborted at the end of the session. */
  readonly over: AbortSignal;
  readonly say: (who: string, line: string) => void;
  /** Writes a line of a service. */
  readonly write: (service: ServiceOptions, line: string) => void;
  /** Called with every line of a service, also with those that are not written. */
  readonly onLine: (service: ServiceOptions, line: string) => void;
  readonly onState: () => void;
  readonly onEnd: (service: ServiceOptions, status: number) => void;
}

interface Running {
  readonly service: DevService;
  readonly files: PodFiles;
  state: ServiceState;
}

/** The commands of the user, each with the environment of its pod. */
export class RunningServices {
  /** By the index in the options. */
  private readonly running: Running[] = [];
  /** The kind that was chosen while it ran, by the index in the options. */
  private readonly chosen: (string | undefined)[] = [];
  private isRestarting = false;

  constructor(private readonly parts: RunningServicesOptions) {}

  stateOf(index: number): ServiceState {
    return this.running[index]?.state ?? 'starting';
  }

  verifierOf(index: number): string | undefined {
    return this.chosen[index] ?? this.parts.options.services[index]?.verifier;
  }

  /** Starts one of them. @returns `false` if the session is over before it is ready */
  async start(index: number): Promise<boolean> {
    const { options, cluster, clock, directory, over, write, onLine } = this.parts;
    const service = options.services[index];
    if (!service) throw new Error(`there is no service ${index}`);
    const files = await cluster.addPod(service);
    const started = new DevService({
      ...{ service, directory, clock, isVerbose: options.isVerbose },
      environment: () => this.environmentOf(index, files),
      writeLine: (line) => write(service, line),
      onLine: (line) => onLine(service, line),
      onEnd: (status) => {
        this.setState(index, 'stopped');
        this.parts.onEnd(service, status);
      },
    });
    this.running[index] = { service: started, files, state: 'starting' };
    if (!over.aborted) started.start();
    return this.announce(index);
  }

  /** Stops them, and starts them again without waiting until they are ready. @param which the indexes in the options */
  async restart(which: readonly number[] = [...this.running.keys()]): Promise<void> {
    if (this.isRestarting) throw new Error('the services are being restarted');
    this.isRestarting = true;
    const chosen = which.flatMap((index) => this.running[index] ?? []);
    for (const one of chosen) one.state = 'stopped';
    this.parts.onState();
    await Promise.all(chosen.map(({ service }) => service.stop()));
    this.isRestarting = false;
    if (this.parts.over.aborted) return;
    for (const one of chosen) {
      one.state = 'starting';
      one.service.start();
    }
    this.parts.onState();
    this.parts.say('dev', 'restarted; the cluster, its keys and its tokens are the same');
    for (const index of which) void this.announce(index);
  }

  /** Restarts one of them with another verifier. */
  async useVerifier(index: number, kind: string): Promise<void> {
    this.chosen[index] = kind;
    await this.restart([index]);
  }

  /** The environment that a pod with these files would have, with the verifier of this service. */
  environmentOf(index: number, files: PodFiles): Record<string, string | undefined> {
    const { environment: inherited, alsoSet, services } = this.parts.options;
    const service = services[index];
    if (!service) throw new Error(`there is no service ${index}`);
    const kind = this.chosen[index];
    if (kind === undefined)
      return podEnvironment({ service, files, inherited, alsoSet, directory: this.parts.directory });
    // Overrides what the user has set, and the settings of the verifier before.
    const own = Object.entries(inherited).filter(([name]) => !VERIFIER_SETTINGS.test(name));
    const environment = { ...service.environment, K8S_AUTH_VERIFIER: kind };
    return podEnvironment({
      service: { ...service, verifier: kind, environment },
      ...{ files, inherited: Object.fromEntries(own), directory: this.parts.directory },
      alsoSet: alsoSet.filter((name) => !VERIFIER_SETTINGS.test(name)),
    });
  }

  async stop(): Promise<void> {
    await Promise.all(this.running.map(({ service }) => service.stop()));
  }

  /** Does not wait for the commands. */
  kill(): void {
    for (const { service } of this.running) service.kill();
  }

  /** Prints the URL as soon as the service is ready. */
  private async announce(index: number): Promise<boolean> {
    const { options, clock, over, say } = this.parts;
    const service = options.services[index];
    if (!service) return false;
    const url = urlOf(service);
    const cancelHint = clock.schedule(HINT_AFTER_MS, () => say('dev', hintAboutPort(service)));
    const isReady = await waitUntilReady(url, service.readyPath, { clock, signal: over });
    cancelHint();
    if (!isReady) return false;
    this.setState(index, 'ready');
    say('dev', `${pathOf(service.identity)} at ${url}`);
    return true;
  }

  private setState(index: number, state: ServiceState): void {
    const one = this.running[index];
    if (!one) return;
    one.state = state;
    this.parts.onState();
  }
}

/** Variables that only one kind of verifier reads. */
const VERIFIER_SETTINGS = /^K8S_AUTH_(VERIFIER|ISSUER|PUBLIC_KEY_FILES)$/;

function hintAboutPort(service: ServiceOptions): string {
  return `nothing listens on port ${service.port} yet (${nameOf(service)}); if it uses another port, name it with --port`;
}
