import { formatUsername } from '../../../src/identity/names.js';
import { type Clock } from '../../../src/util/clock.js';
import { parseUrl } from '../../../src/util/syntax.js';
import { type DevAction } from '../actions.js';
import { type DevCluster } from '../dev-cluster.js';
import { type DevOptions, nameOf, type ServiceOptions } from '../dev.options.js';
import { type RunningServices } from '../running-services.js';
import { urlOf } from '../try-lines.js';
import { CallObserver } from './call-observer.js';
import { CallChecks } from './check-call.js';
import { PageServer } from './page-server.js';
import { type PageState, pageState } from './page-state.js';
import { type CallToSend } from './send-call.js';
import { type Answer } from './timeline.js';

/** Has its own credential, so that the checks of the page are not mistaken for those of the service. */
const PAGE_IDENTITY = { namespace: 'nest-k8s-auth', name: 'live-page' };

const MAX_LOGGED_REQUESTS = 1000;

export interface LiveViewOptions {
  readonly options: DevOptions;
  readonly cluster: DevCluster;
  readonly services: RunningServices;
  readonly clock: Clock;
  readonly actions: () => readonly DevAction[];
  /** Runs one of the actions. @returns what it has done */
  readonly run: (action: DevAction) => Promise<string>;
}

/** What happens in a session, and the live page that shows it. */
export class LiveView {
  /** The index of the service that is observed; -1 if no service receives calls. */
  readonly target: number;
  private readonly observer: CallObserver;
  private readonly stopRequests: () => void;
  private page: PageServer | undefined;

  private constructor(
    private readonly parts: LiveViewOptions,
    checks: CallChecks | undefined,
  ) {
    const { options, cluster, clock } = parts;
    this.target = options.services.findIndex(({ verifier }) => verifier !== undefined);
    const service = options.services[this.target];
    this.observer = new CallObserver({
      clock,
      serviceUser: service ? formatUsername(service.identity) : '',
      serviceName: service ? nameOf(service) : '',
      callerToken: () => cluster.caller.token(),
      check: (token) => checks?.check(token, service?.audience ?? '') ?? Promise.resolve(undefined),
      onChange: (entry) => {
        this.page?.send('entry', entry);
        if (entry.type === 'note') this.sendState();
      },
    });
    this.stopRequests = cluster.requests.subscribe((request) => {
      this.observer.addRequest(request);
      // A session may run for days.
      if (cluster.requests.count() > MAX_LOGGED_REQUESTS) cluster.requests.clear();
    });
  }

  /** @throws {Error} the port of the page is in use */
  static async start(parts: LiveViewOptions): Promise<LiveView> {
    const { options, cluster, services, clock } = parts;
    if (options.pagePort === undefined) return new LiveView(parts, undefined);
    const files = await cluster.addReviewer(PAGE_IDENTITY);
    const view: LiveView = new LiveView(
      parts,
      new CallChecks(() => services.environmentOf(view.target, files), clock),
    );
    view.page = await PageServer.start({
      port: options.pagePort,
      clock,
      snapshot: () => ({ state: view.state(), entries: view.observer.timeline.list() }),
      runAction: (id) => view.runAction(id),
    });
    return view;
  }

  /** `undefined` without a page. */
  get url(): string | undefined {
    return this.page?.url;
  }

  note(from: string, line: string): void {
    this.observer.note(from, line);
  }

  /** A line of a service: it may be about a call. */
  addLine(service: ServiceOptions, line: string): void {
    if (service === this.service()) return this.observer.addServiceLine(line);
    const { target, status, body, error } = service.callLine?.exec(line)?.groups ?? {};
    if (target === undefined) return;
    const answer: Answer =
      status === undefined
        ? { headers: [], body: '', error: error ?? 'no answer' }
        : { status: Number(status), headers: [], body: body ?? '' };
    const request = `GET ${parseUrl(target)?.pathname ?? '/'}`;
    void this.observer.addLogged({ from: nameOf(service), request, line, answer });
  }

  /** Sends a call to the observed service, as its first caller. @returns the answer in a few words */
  async send({ what, token, path }: CallToSend): Promise<string> {
    const service = this.service();
    if (!service) throw new Error('no service receives calls');
    const url = urlOf(service) + (path ?? service.path ?? '/');
    const { status, error, body } = await this.observer.send('this page', what, {
      url,
      token: await token?.(),
    });
    return `${what}: ${status ?? error ?? 'no answer'} ${body.split('\n')[0]?.slice(0, 120) ?? ''}`.trim();
  }

  /** Something changed that is not part of an entry. */
  sendState(): void {
    this.page?.send('state', this.state());
  }

  async close(): Promise<void> {
    this.stopRequests();
    this.observer.close();
    await this.page?.close();
  }

  private service(): ServiceOptions | undefined {
    return this.parts.options.services[this.target];
  }

  private async runAction(id: string): Promise<object | undefined> {
    const action = this.parts.actions().find((one) => one.id === id && one.isOnPage !== false);
    if (!action) return undefined;
    const message = await this.parts.run(action);
    this.sendState();
    return { message };
  }

  private state(): PageState {
    return pageState({ ...this.parts, target: this.target });
  }
}
