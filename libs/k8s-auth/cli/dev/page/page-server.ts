import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type Clock } from '../../../src/util/clock.js';
import { describeError } from '../../../src/util/log.js';
import { EventStream } from './event-stream.js';
import { isFromOwnPage, isOwnHost, SECURITY_HEADERS } from './page-security.js';
import { toPublicJson } from './redaction.js';
import { readStaticFiles, type StaticFile } from './static-files.js';

const LOOPBACK = '127.0.0.1';
const ACTION = /^\/actions\/([a-z-]+)$/;

export interface PageServerOptions {
  /** 0 lets the system choose. */
  readonly port: number;
  readonly clock: Clock;
  /** Everything that the page shows, for a page that was just opened. */
  readonly snapshot: () => unknown;
  /** @returns what the button has done, or `undefined` if there is no such button @throws {Error} why it is impossible now */
  readonly runAction: (id: string) => Promise<object | undefined>;
}

/** The HTTP server of the live page, on loopback only: its files, its events, and its buttons. */
export class PageServer {
  private readonly events: EventStream;
  private readonly server: Server;
  private port = 0;

  private constructor(
    private readonly options: PageServerOptions,
    private readonly files: ReadonlyMap<string, StaticFile>,
  ) {
    this.events = new EventStream(options.clock);
    this.server = createServer((request, response) => void this.handle(request, response));
  }

  /** @throws {Error} the port is in use, or the files of the page are missing */
  static async start(options: PageServerOptions): Promise<PageServer> {
    const page = new PageServer(options, readStaticFiles());
    page.server.listen(options.port, LOOPBACK);
    await once(page.server, 'listening');
    page.port = (page.server.address() as AddressInfo).port;
    return page;
  }

  get url(): string {
    return `http://${LOOPBACK}:${this.port}/`;
  }

  send(event: string, data: unknown): void {
    this.events.send(event, data);
  }

  async close(): Promise<void> {
    this.events.close();
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
    // No request of the page has a body.
    request.resume();
    if (!isOwnHost(request, this.port)) return answer(response, 421, 'this host is not served here');
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (request.method === 'GET') return this.read(request, response, path);
    const [, action] = ACTION.exec(path) ?? [];
    if (request.method !== 'POST' || action === undefined) return answer(response, 405, 'not possible');
    if (!isFromOwnPage(request)) return answer(response, 403, 'only the live page itself may do this');
    await this.act(response, action);
  }

  private read(request: IncomingMessage, response: ServerResponse, path: string): void {
    if (path === '/events') {
      if (!isFromOwnPage(request)) return answer(response, 403, 'only the live page itself may read this');
      const isOpen = this.events.open(response, 'snapshot', this.options.snapshot());
      return isOpen ? undefined : answer(response, 503, 'too many pages are open');
    }
    const file = this.files.get(path);
    if (!file) return answer(response, 404, 'not found');
    response.writeHead(200, { 'content-type': file.type, 'content-length': file.body.length });
    response.end(file.body);
  }

  private async act(response: ServerResponse, action: string): Promise<void> {
    try {
      const result = await this.options.runAction(action);
      if (!result) return answer(response, 404, 'there is no such action');
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(toPublicJson(result));
    } catch (error) {
      answer(response, 409, describeError(error));
    }
  }
}

function answer(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(toPublicJson({ message }));
}
