import { type RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, type Socket } from 'node:net';
import {
  type CertificateAuthority,
  type KeyAndCertificate,
} from '../../testing/local-cluster/certificates.js';

/** An HTTPS server on loopback whose every byte a spec decides. */
export interface HttpsServer {
  readonly url: string;
  /** TCP connections so far. */
  connections(): number;
  /** Cuts every connection there is. */
  cut(): void;
  close(): Promise<void>;
}

export function issueLoopback(authority: CertificateAuthority): Promise<KeyAndCertificate> {
  return authority.issue({
    subject: 'CN=loopback',
    usage: 'server',
    dnsNames: ['api.example'],
    ipAddresses: ['127.0.0.1'],
  });
}

export async function startHttpsServer(
  certificate: KeyAndCertificate,
  onRequest: RequestListener,
  port = 0,
): Promise<HttpsServer> {
  const server = createServer(certificate, onRequest);
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const cut = () => sockets.forEach((socket) => socket.destroy());
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    cut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}

/** Lets the event loop turn until something has happened; a spec in which it never does times out. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** One turn of the event loop. */
export function turn(): Promise<void> {
  // eslint-disable-next-line no-restricted-globals -- no time passes by it
  return new Promise((resolve) => setImmediate(resolve));
}
