import { type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, type Socket } from 'node:net';
import { type KeyAndCertificate } from './certificates.js';
import { type RequestLog } from './request-log.js';

export const LOOPBACK = '127.0.0.1';

// As long as Go's servers keep idle connections; Node's five seconds would close them under the clients' hands.
const KEEP_ALIVE_MS = 90_000;

export interface ListenerOptions {
  /** PEM certificates that client certificates are verified with. */
  readonly ca: string;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  readonly log: RequestLog;
}

/** HTTPS on loopback that can go away and come back on the same port. */
export class HttpsListener {
  private server: Server | undefined;
  private readonly sockets = new Set<Socket>();
  private boundPort: number;

  constructor(
    private readonly options: ListenerOptions,
    port: number,
  ) {
    this.boundPort = port;
  }

  get port(): number {
    return this.boundPort;
  }

  get isListening(): boolean {
    return this.server !== undefined;
  }

  /** @throws {Error} the port is taken */
  async open(certificate: KeyAndCertificate): Promise<void> {
    if (this.server) return;
    const { ca, onRequest, log } = this.options;
    const server = createServer(
      { ...certificate, ca, requestCert: true, rejectUnauthorized: false },
      onRequest,
    );
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    server.on('connection', (socket: Socket) => this.track(socket));
    server.on('secureConnection', () => log.secured());
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.boundPort, LOOPBACK, () => resolve());
    });
    this.boundPort = (server.address() as AddressInfo).port;
    this.server = server;
  }

  /** Stops listening and cuts every connection, those with a request under way too. */
  async close(): Promise<void> {
    const server = this.server;
    if (!server) return;
    this.server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** Ends the connection of this request with a TCP reset, which TLS sockets themselves cannot do. */
  reset(request: IncomingMessage): void {
    const { remotePort } = request.socket;
    for (const socket of this.sockets) if (socket.remotePort === remotePort) socket.resetAndDestroy();
  }

  private track(socket: Socket): void {
    this.options.log.connected();
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
  }
}
