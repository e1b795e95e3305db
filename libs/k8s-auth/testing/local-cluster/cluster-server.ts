import { systemClock } from '../../src/util/clock.js';
import { ApiServer } from './api-server.js';
import { CertificateAuthority } from './certificates.js';
import { createParts } from './cluster-parts.js';
import { type ClusterParts } from './endpoint.js';
import { createEndpoints } from './endpoints/index.js';
import { Faults } from './faults.js';
import { HttpsListener, LOOPBACK } from './https-listener.js';
import { type LocalClusterOptions } from './local-cluster.options.js';
import { RequestLog } from './request-log.js';
import { type CertificateKind, issueServerCertificate } from './server-certificates.js';

/** The API server as a process: it can stop, start again on the same port, and present another certificate. */
export class ClusterServer {
  private kind: CertificateKind = 'good';

  private constructor(
    readonly parts: ClusterParts,
    readonly authority: CertificateAuthority,
    readonly listener: HttpsListener,
    readonly faults: Faults,
    readonly requests: RequestLog,
  ) {}

  /** @throws {Error} the port is taken */
  static async start(options: LocalClusterOptions): Promise<ClusterServer> {
    const [faults, log] = [new Faults(), new RequestLog()];
    const [authority, parts] = await Promise.all([
      CertificateAuthority.create(),
      createParts(options, () => `https://${LOOPBACK}:${listener.port}`),
    ]);
    const api = new ApiServer({ parts, endpoints: createEndpoints(parts), faults, log });
    const listener: HttpsListener = new HttpsListener(
      {
        ca: authority.pem,
        log,
        onRequest: (request, response) => {
          // By the clock of the cluster, and not of this machine, because clients compare it with their own clock.
          response.setHeader('date', new Date((options.clock ?? systemClock).wallMs()).toUTCString());
          void api.handle(request, response, () => listener.reset(request));
        },
      },
      options.port ?? 0,
    );
    const server = new ClusterServer(parts, authority, listener, faults, log);
    await server.open();
    return server;
  }

  async open(): Promise<void> {
    await this.listener.open(await issueServerCertificate(this.authority, this.kind));
  }

  async close(): Promise<void> {
    await this.listener.close();
  }

  /** Starts again after {@link close} or a silence. Existing connections are closed. */
  async reopen(): Promise<void> {
    if (this.listener.isReachable) return;
    await this.close();
    await this.open();
  }

  /** Restarts the server, because a resumed TLS session would not see the new certificate. */
  async present(kind: CertificateKind): Promise<void> {
    this.kind = kind;
    if (!this.listener.isReachable) return;
    await this.close();
    await this.open();
  }
}
