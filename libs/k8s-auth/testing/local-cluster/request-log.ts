import { type EndpointName } from './endpoint.js';

/** One request as the server saw it: no header and no body, hence no token. */
export interface LoggedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** `undefined`: no endpoint has this path. */
  readonly endpoint?: EndpointName;
  /** The user name that the credentials gave; `undefined` when they were refused. */
  readonly user?: string;
  /** By the cluster's clock, milliseconds since the Unix epoch. */
  readonly at: number;
  /** `undefined` until there is an answer. */
  status?: number;
}

/** A request matches if every given member is equal. */
export type RequestFilter = Partial<Omit<LoggedRequest, 'at'>>;

interface Waiter {
  readonly filter: RequestFilter;
  readonly times: number;
  readonly resolve: () => void;
}

/** The received requests, for counting and waiting. */
export class RequestLog {
  private entries: LoggedRequest[] = [];
  private waiters: Waiter[] = [];
  private readonly listeners = new Set<(request: LoggedRequest) => void>();
  private tcp = 0;
  private tls = 0;

  /** TCP connections accepted. */
  get connections(): number {
    return this.tcp;
  }

  /** TLS handshakes completed: fewer than connections where a client refused the certificate. */
  get handshakes(): number {
    return this.tls;
  }

  list(filter: RequestFilter = {}): readonly LoggedRequest[] {
    const wanted = Object.entries(filter);
    return this.entries.filter((entry) =>
      wanted.every(([name, value]) => entry[name as keyof LoggedRequest] === value),
    );
  }

  count(filter: RequestFilter = {}): number {
    return this.list(filter).length;
  }

  /** Resolves as soon as `times` requests of this kind have arrived, answered or not. */
  async waitFor(filter: RequestFilter = {}, times = 1): Promise<void> {
    if (this.count(filter) >= times) return;
    await new Promise<void>((resolve) => this.waiters.push({ filter, times, resolve }));
  }

  /**
   * Calls the listener with each request as soon as it arrives; its `status` is set later.
   * @returns a function that ends this
   */
  subscribe(listener: (request: LoggedRequest) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  clear(): void {
    this.entries = [];
    this.tcp = 0;
    this.tls = 0;
  }

  /** @internal */
  add(entry: LoggedRequest): LoggedRequest {
    this.entries.push(entry);
    for (const listener of this.listeners) listener(entry);
    this.wake();
    return entry;
  }

  /** @internal */
  answered(entry: LoggedRequest, status: number): void {
    entry.status = status;
    this.wake();
  }

  /** @internal */
  connected(): void {
    this.tcp++;
  }

  /** @internal */
  secured(): void {
    this.tls++;
  }

  private wake(): void {
    this.waiters = this.waiters.filter(({ filter, times, resolve }) => {
      if (this.count(filter) < times) return true;
      resolve();
      return false;
    });
  }
}
