import { type Clock } from '../../src/util/clock.js';
import { describeError } from '../../src/util/log.js';
import { EXIT } from '../command.js';
import { DevCluster } from './dev-cluster.js';
import { DevService } from './dev-service.js';
import { type DevOptions, pathOf, type ServiceOptions } from './dev.options.js';
import { type KeyInput, readKeyboard } from './keyboard.js';
import { podEnvironment } from './pod-environment.js';
import { waitUntilReady } from './ports.js';
import { tryLines, urlOf } from './try-lines.js';

/** After this time, a service that does not listen may use another port. */
const HINT_AFTER_MS = 30_000;
const KEYS =
  't rotate tokens, k rotate the signing key, d delete the caller, o outage on/off, r restart, q quit';

export interface DevTerminal {
  readonly stdin: KeyInput;
  readonly writeLine: (line: string) => void;
  readonly directory: string;
  readonly clock: Clock;
}

/** The stand-in and the services around it, until the user quits or, without a terminal, until a command ends. */
export class DevSession {
  private readonly services: DevService[] = [];
  private readonly over = new AbortController();
  private finish: (status: number) => void = () => undefined;
  private readonly finished = new Promise<number>((resolve) => (this.finish = resolve));
  private isRestarting = false;

  constructor(
    private readonly options: DevOptions,
    private readonly terminal: DevTerminal,
  ) {}

  /** @returns the exit status: 0 if the user quits, otherwise that of the command that ended */
  async run(): Promise<number> {
    const cluster = await DevCluster.start(this.options, (line) => this.say('cluster', line));
    const stopReading = readKeyboard(this.terminal.stdin, this.actions(cluster), () => this.quit());
    try {
      this.startAll(cluster).catch((error: unknown) => {
        this.say('dev', describeError(error));
        this.finish(EXIT.failure);
      });
      return await this.finished;
    } finally {
      this.over.abort();
      stopReading();
      await Promise.all(this.services.map((service) => service.stop()));
      await cluster.close();
    }
  }

  /** Stops everything. The second time, kills the commands instead of waiting for them. */
  quit(): void {
    if (this.over.signal.aborted) for (const service of this.services) service.kill();
    this.finish(EXIT.ok);
  }

  private async startAll(cluster: DevCluster): Promise<void> {
    const { services } = this.options;
    for (const [index, service] of services.entries()) {
      await this.startService(cluster, service, index);
      if (!(await this.announce(service))) return;
      await this.show(cluster, service);
    }
    const firstCaller = this.options.callers[0];
    const kubeconfig = await cluster.administratorKubeconfig();
    if (firstCaller) {
      const { namespace, name } = firstCaller;
      const command = `kubectl --kubeconfig ${kubeconfig} create token ${name} -n ${namespace} --audience x`;
      this.say('try', `the stand-in: ${command}`);
    }
    this.say('try', `here: ${KEYS}${this.terminal.stdin.isTTY ? '' : ' (each with Enter)'}`);
  }

  private async startService(cluster: DevCluster, service: ServiceOptions, index: number): Promise<void> {
    const { environment: inherited, alsoSet, isVerbose, services } = this.options;
    const { directory, clock } = this.terminal;
    const files = await cluster.addPod(service);
    const started = new DevService({
      service,
      environment: podEnvironment({ service, files, inherited, alsoSet, directory }),
      directory,
      clock,
      isVerbose,
      writeLine: (line) =>
        services.length > 1 ? this.say(nameOf(service), line) : this.terminal.writeLine(line),
      onEnd: (status) => this.onEnd(service, status),
    });
    this.services[index] = started;
    if (!this.over.signal.aborted) started.start();
  }

  /** Prints the URL as soon as the service is ready. @returns `false` if the session is over before */
  private async announce(service: ServiceOptions): Promise<boolean> {
    const { clock } = this.terminal;
    const url = urlOf(service);
    const cancelHint = clock.schedule(HINT_AFTER_MS, () => this.say('dev', hintAboutPort(service)));
    const isReady = await waitUntilReady(url, service.readyPath, { clock, signal: this.over.signal });
    cancelHint();
    if (isReady) this.say('dev', `${pathOf(service.identity)} at ${url}`);
    return isReady;
  }

  private async show(cluster: DevCluster, service: ServiceOptions): Promise<void> {
    if (service.verifier === undefined) return;
    this.say('try', `audience ${service.audience}; in another terminal:`);
    const files = await cluster.addCallers(service);
    for (const line of tryLines(this.options, service, files, process.platform)) this.say('try', line);
  }

  private onEnd(service: ServiceOptions, status: number): void {
    const what = `${pathOf(service.identity)} ended with status ${status}`;
    if (!this.terminal.stdin.isTTY) {
      this.say('dev', what);
      return this.finish(status);
    }
    this.say('dev', `${what}: r starts it again, q quits; the cluster keeps running`);
  }

  private async restart(): Promise<void> {
    if (this.isRestarting) return;
    this.isRestarting = true;
    await Promise.all(this.services.map((service) => service.stop()));
    this.isRestarting = false;
    if (this.over.signal.aborted) return;
    for (const service of this.services) service.start();
    this.say('dev', 'restarted; the cluster, its keys and its tokens are the same');
    await Promise.all(this.options.services.map((service) => this.announce(service)));
  }

  private actions(cluster: DevCluster): Record<string, () => void> {
    const attempt = (action: () => void | Promise<void>) => () =>
      void Promise.resolve()
        .then(action)
        .catch((error: unknown) => this.say('dev', describeError(error)));
    return {
      t: attempt(() => cluster.rotateTokens()),
      k: attempt(() => cluster.rotateSigningKey()),
      d: attempt(() => cluster.toggleCaller()),
      o: attempt(() => cluster.toggleOutage()),
      r: attempt(() => this.restart()),
      q: () => this.quit(),
    };
  }

  private say(who: string, line: string): void {
    this.terminal.writeLine(`[${who}] ${line}`);
  }
}

function nameOf({ name, identity }: ServiceOptions): string {
  return name ?? identity.name;
}

function hintAboutPort({ port }: ServiceOptions): string {
  return `nothing listens on port ${port} yet; if the service uses another port, name it with --port`;
}
