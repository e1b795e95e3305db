import { type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { type KeyAndCertificate } from './certificates.js';
import { type RequestLog } from './request-log.js';

export const LOOPBACK = '127.0.0.1';

// The time for which Go's servers keep idle connections. Node's five seconds would close connections that clients
// reuse.
const KEEP_ALIVE_MS = 90_000;

export interface ListenerOptions {
  /** PEM certificates that client certificates are verified with. */
  readonly ca: string;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  readonly log: RequestLog;
}

/** An HTTPS server on loopback that can stop, stop answering, and start again on the same port. */
export class HttpsListener {
  private server: Server | undefined;
  private isSilent = false;
  private readonly sockets = new Set<Socket>();
  /** Connections on which the server does not answer. */
  private readonly muted = new WeakSet<Socket>();
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

  /** Whether it answers. */
  get isReachable(): boolean {
    return this.server !== undefined && !this.isSilent;
  }

  get openConnections(): number {
    return this.sockets.size;
  }

  /** @throws {Error} the port is taken */
  async open(certificate: KeyAndCertificate): Promise<void> {
    if (this.server) return;
    const https = this.createHttps(certificate);
    // Separate from TLS, because the system still accepts connections for a server whose process is stopped.
    const server = createTcpServer((socket) => this.accept(socket, https));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.boundPort, LOOPBACK, () => resolve());
    });
    this.boundPort = (server.address() as AddressInfo).port;
    this.server = server;
  }

  /** Stops listening and closes every connection, including those with a request in flight. */
  async close(): Promise<void> {
    const server = this.server;
    this.speak();
    if (!server) return;
    this.server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** Keeps connections open and accepts new ones, but does not answer, not even TLS handshakes. */
  silence(): void {
    this.isSilent = true;
    this.muteConnections();
  }

  /** New connections are answered again. */
  speak(): void {
    this.isSilent = false;
  }

  /** Stops answering on the existing connections. */
  muteConnections(): void {
    for (const socket of this.sockets) this.muted.add(socket);
  }

  /** Ends the connection of this request with a TCP reset, which TLS sockets themselves cannot do. */
  reset(request: IncomingMessage): void {
    this.socketOf(request)?.resetAndDestroy();
  }

  private createHttps(certificate: KeyAndCertificate): HttpsServer {
    const { ca, onRequest, log } = this.options;
    const https = createHttpsServer(
      { ...certificate, ca, requestCert: true, rejectUnauthorized: false },
      (request, response) => {
        const socket = this.socketOf(request);
        if (socket && !this.muted.has(socket)) onRequest(request, response);
      },
    );
    https.keepAliveTimeout = KEEP_ALIVE_MS;
    https.on('secureConnection', () => log.secured());
    return https;
  }

  private accept(socket: Socket, https: HttpsServer): void {
    this.options.log.connected();
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    // Keeps reading; otherwise the end of the connection would not be noticed.
    if (this.isSilent) socket.on('error', () => {}).resume();
    else https.emit('connection', socket);
  }

  private socketOf({ socket: { remotePort } }: IncomingMessage): Socket | undefined {
    return [...this.sockets].find((socket) => socket.remotePort === remotePort);
  }
}
