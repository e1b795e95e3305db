import axios, { type AxiosInstance, type CreateAxiosDefaults } from 'axios';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { FakeClock } from '../../../testing/fake-clock.js';
import { readTokenFile } from '../../token-file/token-file.js';
import { CapturedLog } from '../../../test-support/captured-log.js';
import { TokenMint, TokenVolume } from '../../token-file/token-volume.fixture.js';
import { K8sAuthTokenSource } from '../k8s-auth-token-source.js';
import { attachK8sAuth } from './attach-k8s-auth.js';

/** A request that the server has received. */
export interface Arrival {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** What a {@link DestinationServer} does with a request. */
type Responder = (arrival: Arrival, response: ServerResponse) => void;

/** A service on loopback that records the requests that it receives. */
export class DestinationServer {
  readonly arrivals: Arrival[] = [];
  answer: Responder = (_arrival, response) => response.end('ok');

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const body = Buffer.concat(chunks).toString();
        const arrival = { method, url, headers, authorization: headers.authorization, body };
        this.arrivals.push(arrival);
        this.answer(arrival, response);
      });
    });
  }

  static async start(): Promise<DestinationServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new DestinationServer(server);
  }

  /** The origin of the server. Any host name works with {@link OutboundBench.client}. */
  origin(host = '127.0.0.1'): string {
    return `http://${host}:${(this.server.address() as AddressInfo).port}`;
  }

  get last(): Arrival | undefined {
    return this.arrivals.at(-1);
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }
}

/** A server that is listed as a destination, and the client that sends it its token. */
export interface ListedServer {
  readonly server: DestinationServer;
  readonly origin: string;
  readonly volume: TokenVolume;
  /** The token in the volume. */
  readonly token: string;
  /** Lists only this origin. */
  readonly tokenSource: K8sAuthTokenSource;
  /** Its `baseURL` is the origin. */
  readonly client: AxiosInstance;
}

/** Servers, volumes, clock and log for specs of the outbound side. */
export class OutboundBench {
  readonly clock = new FakeClock();
  readonly log = new CapturedLog();
  readonly mint = new TokenMint(this.clock);
  /** Number of reads of all token files. */
  reads = 0;
  private readonly volumes: TokenVolume[] = [];
  private readonly servers: DestinationServer[] = [];

  async server(): Promise<DestinationServer> {
    const server = await DestinationServer.start();
    this.servers.push(server);
    return server;
  }

  /** @param host see {@link DestinationServer.origin} */
  async listedServer(host?: string): Promise<ListedServer> {
    const server = await this.server();
    const origin = server.origin(host);
    const { volume, token } = await this.tokenVolume();
    const tokenSource = this.tokenSource({ [origin]: volume });
    return {
      server,
      origin,
      volume,
      token,
      tokenSource,
      client: this.client(tokenSource, { baseURL: origin }),
    };
  }

  volume(content?: string): TokenVolume {
    const volume = new TokenVolume(content);
    this.volumes.push(volume);
    return volume;
  }

  /** A volume that holds a token, and that token. */
  async tokenVolume(claims: Record<string, unknown> = {}): Promise<{ volume: TokenVolume; token: string }> {
    const token = await this.mint.mint(claims);
    return { volume: this.volume(token), token };
  }

  tokenSource(volumesByOrigin: Readonly<Record<string, TokenVolume>>): K8sAuthTokenSource {
    const destinations = Object.entries(volumesByOrigin).map(([origin, { file }]) => ({
      origin,
      tokenFile: file,
    }));
    return new K8sAuthTokenSource(destinations, {
      clock: this.clock,
      log: this.log,
      read: (file) => {
        this.reads++;
        return readTokenFile(file);
      },
    });
  }

  /** An attached axios instance that resolves every host name to loopback. */
  client(tokenSource: K8sAuthTokenSource, defaults: CreateAxiosDefaults = {}): AxiosInstance {
    const client = axios.create({
      lookup: (_host: string, _options: object, done: (error: null, address: string, family: 4) => void) =>
        done(null, '127.0.0.1', 4),
      ...defaults,
    });
    attachK8sAuth(client, tokenSource);
    return client;
  }

  async close(): Promise<void> {
    this.volumes.forEach((volume) => volume.remove());
    await Promise.all(this.servers.map((server) => server.close()));
  }
}
