import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServiceAccountName } from '../../src/identity/names.js';
import { LocalCluster } from '../../testing/local-cluster/local-cluster.js';
import { type RequestLog } from '../../testing/local-cluster/request-log.js';
import { CallerPod } from './caller-pod.js';
import { CraftedTokens } from './crafted-tokens.js';
import { type DevOptions, pathOf, type ServiceOptions } from './dev.options.js';
import { type PodFiles } from './pod-environment.js';
import { tokenFilesOf } from './pod-paths.js';
import { PodVolumes } from './pod-volumes.js';
import { ServicePods } from './service-pods.js';
import { SigningKeys } from './signing-keys.js';

/** The shortest lifetime that a real cluster grants. */
const DEFAULT_TOKEN_SECONDS = 600;
/**
 * A new key is published this long before it signs, as in a rotation without mistakes: key files are read again every
 * 10 s, and published keys are not fetched twice within a few seconds.
 */
const PUBLISH_LEAD_MS = 15_000;
const OTHER_AUDIENCE = 'another-service';

export interface DevClusterHooks {
  readonly log: (line: string) => void;
  /** The kinds of the verifiers that are in use now. */
  readonly verifiers: () => readonly string[];
}

/** The token files of one service's callers. */
export interface CallerFiles {
  /** By `<namespace>/<name>` of the caller. */
  readonly valid: ReadonlyMap<string, string>;
  /** Issued for another audience. */
  readonly otherAudience: string;
  readonly expired: string;
}

/** A stand-in for a cluster with everything that `dev` needs: callers, services, their tokens, and what the keys change. */
export class DevCluster {
  readonly crafted: CraftedTokens;
  readonly keys: SigningKeys;
  /** The first caller, which the keys change. */
  readonly caller: CallerPod;
  private readonly root = mkdtempSync(join(tmpdir(), 'nest-k8s-auth-dev-'));
  private readonly volumes: PodVolumes;
  private readonly pods: ServicePods;
  private readonly log: (line: string) => void;
  private isOut = false;

  private constructor(
    private readonly cluster: LocalCluster,
    private readonly options: DevOptions,
    { log, verifiers }: DevClusterHooks,
  ) {
    this.log = log;
    this.crafted = new CraftedTokens(cluster);
    this.volumes = new PodVolumes({
      cluster,
      log,
      tokenSeconds: options.tokenSeconds ?? DEFAULT_TOKEN_SECONDS,
    });
    this.caller = new CallerPod({
      ...{ cluster, options, log, verifiers, volumes: this.volumes, otherAudience: OTHER_AUDIENCE },
      isReachable: () => this.isReachable,
      directoryOf: (account, audience) => this.directoryOf(account, audience),
    });
    this.pods = new ServicePods({
      ...{ cluster, options, volumes: this.volumes, root: this.root },
      publicKeyFile: () => this.keys.file,
      project: (account, audience) => this.project(account, audience),
    });
    this.keys = new SigningKeys({
      cluster,
      file: join(this.root, 'sa.pub'),
      leadMs: PUBLISH_LEAD_MS,
      periodMs: options.keyPeriodMs,
      log,
      onRotate: () => {
        this.volumes.renewAll();
        this.caller.noteRotation();
      },
    });
  }

  static async start(options: DevOptions, hooks: DevClusterHooks): Promise<DevCluster> {
    const seconds = options.tokenSeconds ?? DEFAULT_TOKEN_SECONDS;
    const cluster = await LocalCluster.start({ minimumTokenLifetimeMs: seconds * 1000 });
    const dev = new DevCluster(cluster, options, hooks);
    for (const { namespace, name } of [...options.callers, ...options.services.map((one) => one.identity)]) {
      await cluster.createServiceAccount(namespace, name);
    }
    // Verifiers that send reviews need this right.
    for (const { identity } of options.services) cluster.grant('create tokenreviews', pathOf(identity));
    dev.caller.noteRotation();
    hooks.log(`API server at ${cluster.url}, issuer ${cluster.issuer}`);
    return dev;
  }

  get url(): string {
    return this.cluster.url;
  }

  get issuer(): string {
    return this.cluster.issuer;
  }

  get requests(): RequestLog {
    return this.cluster.requests;
  }

  get isReachable(): boolean {
    return !this.isOut;
  }

  /** @returns the path of a kubeconfig of the administrator, for kubectl */
  administratorKubeconfig(): Promise<string> {
    return this.cluster.writeKubeconfig();
  }

  /** Writes the files that a pod of this ServiceAccount has, and creates the ServiceAccount with the right to review. */
  async addReviewer(identity: ServiceAccountName): Promise<PodFiles> {
    await this.cluster.createServiceAccount(identity.namespace, identity.name);
    this.cluster.grant('create tokenreviews', pathOf(identity));
    return this.pods.add({ identity, destinations: [] });
  }

  /** Writes the files that the pod of this service has. */
  addPod(service: ServiceOptions): Promise<PodFiles> {
    return this.pods.add({ ...service, tokenFiles: tokenFilesOf(service, this.options.services) });
  }

  /** Writes tokens that callers may send to this service. */
  async addCallers({ audience }: ServiceOptions): Promise<CallerFiles> {
    const valid = new Map<string, string>();
    for (const caller of this.options.callers)
      valid.set(pathOf(caller), await this.project(caller, audience));
    const [first] = this.options.callers;
    if (!first) throw new Error('expected a caller');
    const expired = join(this.root, pathOf(first), `expired-for-${fileName(audience)}`);
    writeFileSync(expired, await this.crafted.expired({ account: first, audience }), { mode: 0o600 });
    return { valid, otherAudience: await this.project(first, OTHER_AUDIENCE, false), expired };
  }

  /** Replaces every token now. */
  rotateTokens(): void {
    const reason = this.volumes.renewAll();
    this.log(reason === undefined ? 'every token rotated' : `not every token rotated: ${reason}`);
  }

  /** Makes the API server unreachable, or reachable again. */
  async toggleOutage(): Promise<void> {
    this.isOut = !this.isOut;
    if (this.isOut) await this.cluster.outage();
    else await this.cluster.recover();
    this.log(this.isOut ? 'outage: the API server refuses connections' : 'outage ended');
  }

  async close(): Promise<void> {
    this.keys.stop();
    await this.cluster.close();
    rmSync(this.root, { recursive: true, force: true });
  }

  private project(account: ServiceAccountName, audience: string, isLogged = true): Promise<string> {
    const directory = this.directoryOf(account, audience);
    return this.volumes.project({ account, audience, directory, isLogged });
  }

  private directoryOf(account: ServiceAccountName, audience: string): string {
    return join(this.root, pathOf(account), `for-${fileName(audience)}`);
  }
}

function fileName(audience: string): string {
  return audience.replace(/[^\w.-]+/g, '-');
}
