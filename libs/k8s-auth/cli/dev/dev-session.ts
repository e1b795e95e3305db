import { type Clock } from '../../src/util/clock.js';
import { describeError } from '../../src/util/log.js';
import { verifierKinds } from '../../src/verifiers/index.js';
import { EXIT } from '../command.js';
import { type DevAction, devActions, findByKey, keyLines } from './actions.js';
import { DevCluster } from './dev-cluster.js';
import { type DevOptions, nameOf, pathOf, type ServiceOptions } from './dev.options.js';
import { type KeyInput, readKeyboard } from './keyboard.js';
import { LiveView } from './page/live-view.js';
import { PodHints } from './pod-hints.js';
import { podContents } from './pod-paths.js';
import { RunningServices } from './running-services.js';
import { tryLines } from './try-lines.js';

export interface DevTerminal {
  readonly stdin: KeyInput;
  readonly writeLine: (line: string) => void;
  readonly directory: string;
  readonly clock: Clock;
}

/** The parts of a session that has started. */
interface Parts {
  readonly cluster: DevCluster;
  readonly services: RunningServices;
  readonly view: LiveView;
}

/** The stand-in and the services around it, until the user quits or, without a terminal, until a command ends. */
export class DevSession {
  private readonly over = new AbortController();
  private readonly hints = new PodHints();
  private parts: Parts | undefined;
  private finish: (status: number) => void = () => undefined;
  private readonly finished = new Promise<number>((resolve) => (this.finish = resolve));

  constructor(
    private readonly options: DevOptions,
    private readonly terminal: DevTerminal,
  ) {}

  /** @returns the exit status: 0 if the user quits, otherwise that of the command that ended */
  async run(): Promise<number> {
    const cluster = await DevCluster.start(this.options, {
      log: (line) => this.say('cluster', line),
      verifiers: () => this.verifiers(),
    });
    const stopReading = readKeyboard(
      this.terminal.stdin,
      (key) => this.press(key),
      () => this.quit(),
    );
    try {
      this.startAll(cluster).catch((error: unknown) => {
        this.say('dev', describeError(error));
        this.finish(EXIT.failure);
      });
      return await this.finished;
    } finally {
      this.over.abort();
      stopReading();
      await this.parts?.services.stop();
      await this.parts?.view.close();
      await cluster.close();
    }
  }

  /** Stops everything. The second time, kills the commands instead of waiting for them. */
  quit(): void {
    if (this.over.signal.aborted) this.parts?.services.kill();
    this.finish(EXIT.ok);
  }

  private async startAll(cluster: DevCluster): Promise<void> {
    const { services, view } = (this.parts = await this.createParts(cluster));
    if (view.url !== undefined) this.say('dev', `live page at ${view.url}`);
    for (const [index, service] of this.options.services.entries()) {
      if (!(await services.start(index))) return;
      await this.show(cluster, service);
    }
    const firstCaller = this.options.callers[0];
    const kubeconfig = await cluster.administratorKubeconfig();
    if (firstCaller) {
      const { namespace, name } = firstCaller;
      const command = `kubectl --kubeconfig ${kubeconfig} create token ${name} -n ${namespace} --audience x`;
      this.say('try', `the stand-in: ${command}`);
    }
    if (view.url !== undefined) this.say('try', `in a browser: ${view.url}`);
    for (const line of keyLines(this.actions(), this.terminal.stdin.isTTY === true)) this.say('try', line);
    view.sendState();
  }

  private async createParts(cluster: DevCluster): Promise<Parts> {
    const { options } = this;
    const { clock, directory } = this.terminal;
    const services = new RunningServices({
      ...{ options, cluster, clock, directory, over: this.over.signal },
      say: (who, line) => this.say(who, line),
      write: (service, line) =>
        options.services.length > 1 ? this.say(nameOf(service), line) : this.terminal.writeLine(line),
      onLine: (service, line) => {
        this.parts?.view.addLine(service, line);
        const hint = this.hints.hintFor(line, podContents(service, options.services));
        if (hint !== undefined) this.say('dev', hint);
      },
      onState: () => this.parts?.view.sendState(),
      onEnd: (service, status) => this.onEnd(service, status),
    });
    const actions = () => this.actions();
    const run = (action: DevAction) => this.runAction(action);
    const view = await LiveView.start({ options, cluster, services, clock, actions, run });
    return { cluster, services, view };
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

  private actions(): readonly DevAction[] {
    if (!this.parts) return [];
    const { cluster, services, view } = this.parts;
    const target = this.options.services[view.target];
    return devActions({
      cluster,
      verifier: services.verifierOf(view.target),
      verifiers: verifierKinds,
      refusingPath: target?.tries?.find(({ status, caller }) => status === 403 && !caller)?.path,
      send: (call) => view.send(call),
      session: {
        restart: () => services.restart(),
        restartCallers: () => services.restart(this.callers()),
        useVerifier: (kind) => services.useVerifier(view.target, kind),
        quit: () => this.quit(),
      },
    });
  }

  /** The kinds that are in use now. */
  private verifiers(): readonly string[] {
    return this.options.services.flatMap((_, index) => this.parts?.services.verifierOf(index) ?? []);
  }

  /** The indexes of the services that run as the first caller. */
  private callers(): readonly number[] {
    const [first] = this.options.callers;
    return this.options.services.flatMap(({ identity }, index) =>
      first && pathOf(identity) === pathOf(first) ? [index] : [],
    );
  }

  private press(key: string): void {
    const action = findByKey(this.actions(), key);
    if (action) void this.runAction(action).catch(() => undefined);
    else if (key === 'q') this.quit();
  }

  private async runAction(action: DevAction): Promise<string> {
    try {
      const message = (await action.run()) ?? action.label;
      if (action.group === 'send') this.say('call', message);
      return message;
    } catch (error) {
      this.say('dev', describeError(error));
      throw error;
    } finally {
      this.parts?.view.sendState();
    }
  }

  private say(who: string, line: string): void {
    this.terminal.writeLine(`[${who}] ${line}`);
    if (who === 'cluster') this.parts?.view.note(who, line);
  }
}
