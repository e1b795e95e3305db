import { type RequestListener } from 'node:http';
import { FakeClock } from '../../testing/fake-clock.js';
import {
  type CertificateAuthority,
  type KeyAndCertificate,
} from '../../testing/local-cluster/certificates.js';
import { HttpsListener, LOOPBACK } from '../../testing/local-cluster/https-listener.js';
import { RequestLog } from '../../testing/local-cluster/request-log.js';
import { type Clock } from '../util/clock.js';
import { HttpsClient } from './https-client.js';
import { type TlsSettings } from './tls-source.js';
import { type OwnDeadline, startDeadline } from '../util/timers.js';

export { until } from '../../test-support/until.js';
export { nextTurn as turn } from '../util/timers.js';

/** An HTTPS server on loopback. The spec controls every byte that it sends. */
export interface HttpsServer {
  readonly url: string;
  /** Number of TCP connections so far. */
  connections(): number;
  /** Number of open TCP connections. */
  openConnections(): number;
  /** From now on, connections are accepted but nothing is answered, not even the TLS handshake. */
  silence(): void;
  /** From now on, nothing is answered on the connections that are open now. */
  muteConnections(): void;
  /** From now on, new connections are answered again. */
  speak(): void;
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
  const log = new RequestLog();
  const listener = new HttpsListener({ ca: certificate.cert, onRequest, log }, port);
  await listener.open(certificate);
  return {
    url: `https://${LOOPBACK}:${listener.port}`,
    connections: () => log.connections,
    openConnections: () => listener.openConnections,
    silence: () => listener.silence(),
    muteConnections: () => listener.muteConnections(),
    speak: () => listener.speak(),
    close: () => listener.close(),
  };
}

/** A deadline that never expires, because nobody advances its clock. */
export function endless(): OwnDeadline {
  return startDeadline(new FakeClock(), 60_000);
}

/** A client with fixed TLS settings. */
export function clientWith(tls: TlsSettings, clock: Clock): HttpsClient {
  const log = { log: () => {}, warn: () => {}, error: () => {} };
  return new HttpsClient({ of: 'the server', tls, readTls: () => Promise.resolve(tls) }, { clock, log });
}
