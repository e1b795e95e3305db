import { type Clock } from '../../src/util/clock.js';
import { type ProjectedVolume } from '../projected-volume.js';
import { ClusterFiles } from './cluster-files.js';
import { ClusterMounts } from './cluster-mounts.js';
import { ClusterServer } from './cluster-server.js';
import { type Faults } from './faults.js';
import { writeKubeconfig } from './kubeconfig.js';
import {
  type InClusterMountOptions,
  type KubeconfigOptions,
  type LegacyTokenOptions,
  type LocalClusterOptions,
  type OutageKind,
  type PodOptions,
  type ProjectVolumeOptions,
  type RotationOptions,
  type TokenOptions,
} from './local-cluster.options.js';
import { type ClusterObject } from './object-store.js';
import { type RequestLog } from './request-log.js';
import { type Right, type Subject } from './rights.js';
import { type CertificateKind } from './server-certificates.js';
import { type SigningAlgorithm } from './signing-keys.js';

/**
 * A stand-in for a Kubernetes API server and its kubelet, as far as ServiceAccount tokens are concerned: a real HTTPS
 * server on loopback with a CA of its own that issues, reviews and publishes what a real one does, status by status,
 * and goes wrong on demand. It runs nothing and knows no RBAC beyond two rights.
 *
 * Methods that name an object that does not exist throw with the API server's own words.
 * @publicApi
 */
export class LocalCluster {
  /** PEM file of the certificate authority. */
  readonly caFile: string;
  private readonly files = new ClusterFiles();
  private readonly mounts: ClusterMounts;

  private constructor(private readonly server: ClusterServer) {
    this.caFile = this.files.write('ca.crt', this.ca);
    this.mounts = new ClusterMounts(server.parts, this.files, this.ca, () => server.listener.isReachable);
  }

  /** @throws {Error} the port is taken */
  static async start(options: LocalClusterOptions = {}): Promise<LocalCluster> {
    return new LocalCluster(await ClusterServer.start(options));
  }

  /** `https://127.0.0.1:<port>` */
  get url(): string {
    return this.server.parts.url();
  }

  get port(): number {
    return this.server.listener.port;
  }

  /** The certificate authority's certificate, PEM. */
  get ca(): string {
    return this.server.authority.pem;
  }

  get issuer(): string {
    return this.server.parts.issuer;
  }

  /** What tokens for the API server itself are made for. */
  get apiAudiences(): readonly string[] {
    return this.server.parts.apiAudiences;
  }

  get clock(): Clock {
    return this.server.parts.clock;
  }

  /** What goes wrong on purpose. */
  get faults(): Faults {
    return this.server.faults;
  }

  /** TCP connections that are open now. */
  get openConnections(): number {
    return this.server.listener.openConnections;
  }

  /** What was asked so far. */
  get requests(): RequestLog {
    return this.server.requests;
  }

  /** Makes it, and its namespace, unless they are there: `default` always is. */
  createServiceAccount(namespace: string, name: string): Promise<ClusterObject> {
    return attempt(() => this.server.parts.state.ensureServiceAccount(namespace, name));
  }

  /** Its tokens are refused from now on, also when one of the same name comes again: that has another UID. */
  deleteServiceAccount(namespace: string, name: string): Promise<ClusterObject> {
    return attempt(() => this.server.parts.state.deleteServiceAccount(namespace, name));
  }

  /** Something for tokens to be bound to. @throws {Error} its ServiceAccount does not exist */
  createPod(namespace: string, name: string, options: PodOptions = {}): Promise<ClusterObject> {
    return attempt(() => this.server.parts.state.runPod({ namespace, name, ...options }));
  }

  /** Tokens bound to it are refused from now on; the grace period of a real cluster is over at once. */
  deletePod(namespace: string, name: string): Promise<ClusterObject> {
    return attempt(() => this.server.parts.state.pods.delete(name, namespace));
  }

  /** A bound token as TokenRequest makes it, or a forged one. Asks nothing of the server: it works during an outage. */
  createToken({ claims, header, key, ...request }: TokenOptions): Promise<string> {
    return attempt(() => this.server.parts.tokens.issueBound(request, { claims, header, key }));
  }

  /** A Secret-based token: flat claims, no audience, no end; the Secret is made along with it. */
  createLegacyToken({ claims, header, key, ...options }: LegacyTokenOptions): Promise<string> {
    const request = { secret: `${options.serviceAccount}-token`, ...options };
    return attempt(() => this.server.parts.tokens.issueLegacy(request, { claims, header, key }));
  }

  /** Signs with a fresh key from now on. @returns its `kid` */
  async rotateSigningKey({ keepOld, algorithm }: RotationOptions): Promise<string> {
    const { keys } = this.server.parts;
    const { kid } = await keys.publish(algorithm);
    keys.signWith(kid);
    if (!keepOld) keys.dropOthers();
    return kid;
  }

  /** Publishes a fresh key that does not sign yet. @returns its `kid`, for {@link signWith} */
  async publishKey(algorithm?: SigningAlgorithm): Promise<string> {
    return (await this.server.parts.keys.publish(algorithm)).kid;
  }

  /** Signs with a published key from now on. */
  signWith(kid: string): void {
    this.server.parts.keys.signWith(kid);
  }

  /** Forgets every key but the signing one, as the end of a rotation. */
  dropOldKeys(): void {
    this.server.parts.keys.dropOthers();
  }

  /** What the file `sa.pub` holds: all accepted keys. */
  publicKeysPem(): string {
    return this.server.parts.keys.toPem();
  }

  grant(right: Right, subject: Subject): void {
    this.server.parts.rights.grant(right, subject);
  }

  revoke(right: Right, subject: Subject): void {
    this.server.parts.rights.revoke(right, subject);
  }

  /** Restarts with another certificate: connections are cut, the next handshake sees it. */
  async presentCertificate(kind: CertificateKind): Promise<void> {
    await this.server.present(kind);
  }

  /**
   * The API server is unreachable, and projected volumes are not renewed.
   * @param kind `refuse`: connections are cut, and new ones refused. `hang`: connections stay, and new ones are accepted,
   *   but nothing is ever answered, TLS handshakes included, as by a process that is stopped or a network that drops
   *   packets
   */
  async outage(kind: OutageKind = 'refuse'): Promise<void> {
    if (kind === 'hang') this.server.listener.silence();
    else await this.server.close();
  }

  /** The API server is back, on the same port; connections that stayed are cut. */
  async recover(): Promise<void> {
    await this.server.reopen();
  }

  /** The connections that there are stay open, but nothing comes back, as after a lost NAT entry; new ones work. */
  muteConnections(): void {
    this.server.listener.muteConnections();
  }

  /** @returns the path of a kubeconfig that kubectl and client libraries take; mode 0600 */
  writeKubeconfig(options: KubeconfigOptions = {}): Promise<string> {
    return writeKubeconfig(this.server, this.files, options);
  }

  /**
   * What a pod finds under /var/run/secrets/kubernetes.io/serviceaccount: `token`, `ca.crt`, `namespace`. Called again
   * for the same directory, it swaps in a new token.
   * @returns the directory
   */
  writeInClusterMount(options: InClusterMountOptions): Promise<string> {
    return attempt(() => this.mounts.writeInCluster(options));
  }

  /** A projected token that is renewed as the kubelet does it. */
  projectVolume(options: ProjectVolumeOptions): Promise<ProjectedVolume> {
    return attempt(() => this.mounts.projectVolume(options));
  }

  /** Stops the server and every rotation, and removes all files that were written. */
  async close(): Promise<void> {
    await this.server.close();
    this.mounts.close();
    this.files.remove();
  }
}

/** What is done at once, as a promise: a throw becomes a rejection. */
function attempt<T>(action: () => T): Promise<T> {
  return new Promise((resolve) => resolve(action()));
}
