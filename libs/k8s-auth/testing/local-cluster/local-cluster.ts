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
 * server on loopback with its own CA. It issues and reviews tokens and publishes keys with the same status codes as a
 * real API server, and simulates faults on request. It runs no containers, and of RBAC it supports only two rights.
 *
 * Methods that name an object that does not exist throw an error with the API server's message.
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

  /** The audiences of the API server itself. */
  get apiAudiences(): readonly string[] {
    return this.server.parts.apiAudiences;
  }

  get clock(): Clock {
    return this.server.parts.clock;
  }

  /** The faults to simulate. */
  get faults(): Faults {
    return this.server.faults;
  }

  /** TCP connections that are open now. */
  get openConnections(): number {
    return this.server.listener.openConnections;
  }

  /** The requests that were received so far. */
  get requests(): RequestLog {
    return this.server.requests;
  }

  /** Creates it, and its namespace, unless they exist: `default` always exists. */
  createServiceAccount(namespace: string, name: string): Promise<ClusterObject> {
    return attempt(() => this.server.parts.state.ensureServiceAccount(namespace, name));
  }

  /** Its tokens are refused from now on, even if it is created again with the same name: the UID differs. */
  deleteServiceAccount(namespace: string, name: string): Promise<ClusterObject> {
    return attempt(() => this.server.parts.state.deleteServiceAccount(namespace, name));
  }

  /** Creates a pod that tokens can be bound to. @throws {Error} its ServiceAccount does not exist */
  createPod(namespace: string, name: string, options: PodOptions = {}): Promise<ClusterObject> {
    return attempt(() => this.server.parts.state.runPod({ namespace, name, ...options }));
  }

  /** Tokens bound to it are refused from now on; the grace period of a real cluster is over at once. */
  deletePod(namespace: string, name: string): Promise<ClusterObject> {
    return attempt(() => this.server.parts.state.pods.delete(name, namespace));
  }

  /** Creates a bound token like TokenRequest, or a forged one. Also works during an outage, without a request. */
  createToken({ claims, header, key, ...request }: TokenOptions): Promise<string> {
    return attempt(() => this.server.parts.tokens.issueBound(request, { claims, header, key }));
  }

  /** Creates a Secret-based token, and its Secret: flat claims, no audience, no expiry. */
  createLegacyToken({ claims, header, key, ...options }: LegacyTokenOptions): Promise<string> {
    const request = { secret: `${options.serviceAccount}-token`, ...options };
    return attempt(() => this.server.parts.tokens.issueLegacy(request, { claims, header, key }));
  }

  /** Signs with a new key from now on. @returns its `kid` */
  async rotateSigningKey({ keepOld, algorithm }: RotationOptions): Promise<string> {
    const { keys } = this.server.parts;
    const { kid } = await keys.publish(algorithm);
    keys.signWith(kid);
    if (!keepOld) keys.dropOthers();
    return kid;
  }

  /** Publishes a new key that does not sign yet. @returns its `kid`, for {@link signWith} */
  async publishKey(algorithm?: SigningAlgorithm): Promise<string> {
    return (await this.server.parts.keys.publish(algorithm)).kid;
  }

  /** Signs with a published key from now on. */
  signWith(kid: string): void {
    this.server.parts.keys.signWith(kid);
  }

  /** Removes every key except the signing key, as at the end of a rotation. */
  dropOldKeys(): void {
    this.server.parts.keys.dropOthers();
  }

  /** The content of the file `sa.pub`: all accepted keys. */
  publicKeysPem(): string {
    return this.server.parts.keys.toPem();
  }

  grant(right: Right, subject: Subject): void {
    this.server.parts.rights.grant(right, subject);
  }

  revoke(right: Right, subject: Subject): void {
    this.server.parts.rights.revoke(right, subject);
  }

  /** Restarts with another certificate: connections are closed, and the next handshake uses it. */
  async presentCertificate(kind: CertificateKind): Promise<void> {
    await this.server.present(kind);
  }

  /**
   * The API server is unreachable, and projected volumes are not renewed.
   * @param kind `refuse`: connections are closed, and new ones refused. `hang`: connections stay, and new ones are
   * accepted,
   *   but nothing is ever answered, TLS handshakes included, as by a process that is stopped or a network that drops
   *   packets
   */
  async outage(kind: OutageKind = 'refuse'): Promise<void> {
    if (kind === 'hang') this.server.listener.silence();
    else await this.server.close();
  }

  /** The API server is reachable again on the same port; connections that stayed open are closed. */
  async recover(): Promise<void> {
    await this.server.reopen();
  }

  /** Existing connections stay open but get no answer, as after a lost NAT entry; new connections work. */
  muteConnections(): void {
    this.server.listener.muteConnections();
  }

  /** @returns the path of a kubeconfig for kubectl and client libraries; mode 0600 */
  writeKubeconfig(options: KubeconfigOptions = {}): Promise<string> {
    return writeKubeconfig(this.server, this.files, options);
  }

  /**
   * Writes the files that a pod has under /var/run/secrets/kubernetes.io/serviceaccount: `token`, `ca.crt`,
   * `namespace`. A second call for the same directory replaces the token.
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

/** Runs a synchronous function and returns a promise: a thrown error becomes a rejection. */
function attempt<T>(action: () => T): Promise<T> {
  return new Promise((resolve) => resolve(action()));
}
