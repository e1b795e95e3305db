import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatPodKubeconfig } from '../../src/api-server/pod-kubeconfig.js';
import { type ServiceAccountName } from '../../src/identity/names.js';
import { describeError } from '../../src/util/log.js';
import { LocalCluster } from '../../testing/local-cluster/local-cluster.js';
import { type ProjectedVolume } from '../../testing/projected-volume.js';
import { type DevOptions, pathOf, type ServiceOptions } from './dev.options.js';
import { type PodFiles } from './pod-environment.js';
import { SigningKeys } from './signing-keys.js';

/** The shortest lifetime that a real cluster grants. */
const DEFAULT_TOKEN_SECONDS = 600;
/**
 * A new key is published this long before it signs, as in a rotation without mistakes: key files are read again every
 * 10 s, and published keys are not fetched twice within a few seconds.
 */
const PUBLISH_LEAD_MS = 15_000;
const OTHER_AUDIENCE = 'another-service';

/** The token files of one service's callers. */
export interface CallerFiles {
  /** By `<namespace>/<name>` of the caller. */
  readonly valid: ReadonlyMap<string, string>;
  /** Issued for another audience. */
  readonly otherAudience: string;
  readonly expired: string;
}

interface VolumeRequest {
  readonly account: ServiceAccountName;
  readonly audience: string;
  readonly directory: string;
  readonly isLogged: boolean;
}

/** A stand-in for a cluster with everything that `dev` needs: callers, services, their tokens, and the keys to press. */
export class DevCluster {
  /** By the directory. A service that is also a caller has some volumes in common with it. */
  private readonly volumes = new Map<string, ProjectedVolume>();
  private readonly root = mkdtempSync(join(tmpdir(), 'nest-k8s-auth-dev-'));
  private readonly keys: SigningKeys;
  private isRotatingAll = false;
  private isOut = false;
  private isCallerDeleted = false;

  private constructor(
    private readonly cluster: LocalCluster,
    private readonly options: DevOptions,
    private readonly log: (line: string) => void,
  ) {
    this.keys = new SigningKeys({
      cluster,
      file: join(this.root, 'sa.pub'),
      leadMs: PUBLISH_LEAD_MS,
      periodMs: options.keyPeriodMs,
      log,
      onRotate: () => this.renewTokens(),
    });
  }

  static async start(options: DevOptions, log: (line: string) => void): Promise<DevCluster> {
    const seconds = options.tokenSeconds ?? DEFAULT_TOKEN_SECONDS;
    const cluster = await LocalCluster.start({ minimumTokenLifetimeMs: seconds * 1000 });
    const dev = new DevCluster(cluster, options, log);
    for (const { namespace, name } of [...options.callers, ...options.services.map((one) => one.identity)]) {
      await cluster.createServiceAccount(namespace, name);
    }
    // Verifiers that send reviews need this right.
    for (const { identity } of options.services) cluster.grant('create tokenreviews', pathOf(identity));
    log(`API server at ${cluster.url}, issuer ${cluster.issuer}`);
    return dev;
  }

  /** @returns the path of a kubeconfig of the administrator, for kubectl */
  administratorKubeconfig(): Promise<string> {
    return this.cluster.writeKubeconfig();
  }

  /** Writes the files that the pod of this service has. */
  async addPod({ identity, destinations }: ServiceOptions): Promise<PodFiles> {
    const [apiAudience = this.cluster.issuer] = this.cluster.apiAudiences;
    const own = await this.project(identity, apiAudience, `${pathOf(identity)}/api-server`, false);
    const kubeconfig = join(this.root, `${identity.namespace}.${identity.name}.kubeconfig`);
    const { url, caFile, issuer } = this.cluster;
    const { namespace } = identity;
    writeFileSync(kubeconfig, formatPodKubeconfig({ url, caFile, tokenFile: own, namespace }), {
      mode: 0o600,
    });
    const files = destinations.map(async ({ origin, audience }) => ({
      origin,
      tokenFile: await this.project(identity, audience, `${pathOf(identity)}/for-${fileName(audience)}`),
    }));
    return {
      url,
      issuer,
      kubeconfig,
      publicKeyFile: this.keys.file,
      destinations: await Promise.all(files),
    };
  }

  /** Writes tokens that callers may send to this service. */
  async addCallers({ audience }: ServiceOptions): Promise<CallerFiles> {
    const directory = (caller: ServiceAccountName, name: string) => `${pathOf(caller)}/for-${fileName(name)}`;
    const valid = new Map<string, string>();
    for (const caller of this.options.callers) {
      valid.set(pathOf(caller), await this.project(caller, audience, directory(caller, audience)));
    }
    const [first] = this.options.callers;
    if (!first) throw new Error('expected a caller');
    const expired = join(this.root, pathOf(first), `expired-for-${fileName(audience)}`);
    writeFileSync(expired, await this.createExpired(first, audience), { mode: 0o600 });
    const other = await this.project(first, OTHER_AUDIENCE, directory(first, OTHER_AUDIENCE), false);
    return { valid, otherAudience: other, expired };
  }

  /** Replaces every token now. */
  rotateTokens(): void {
    const renewed = this.renewTokens();
    if (renewed === undefined) this.log('every token rotated');
    else this.log(`not every token rotated: ${renewed}`);
  }

  rotateSigningKey(): Promise<void> {
    return this.keys.rotate();
  }

  /** Deletes the first caller, or creates it again. */
  async toggleCaller(): Promise<void> {
    const [caller] = this.options.callers;
    if (!caller) return;
    const { namespace, name } = caller;
    this.isCallerDeleted = !this.isCallerDeleted;
    if (this.isCallerDeleted) {
      await this.cluster.deleteServiceAccount(namespace, name);
      const kinds = new Set(this.options.services.flatMap(({ verifier }) => verifier ?? []));
      return this.log(`${pathOf(caller)} deleted: ${[...kinds].map(whenRefused).join(', ')}`);
    }
    await this.cluster.createServiceAccount(namespace, name);
    this.renewTokens();
    this.log(`${pathOf(caller)} created again, with new tokens`);
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

  private async project(
    account: ServiceAccountName,
    audience: string,
    path: string,
    isLogged = true,
  ): Promise<string> {
    const directory = join(this.root, path);
    mkdirSync(join(directory, '..'), { recursive: true });
    return this.projectVolume({ account, audience, directory, isLogged });
  }

  private async projectVolume({ account, audience, directory, isLogged }: VolumeRequest): Promise<string> {
    const known = this.volumes.get(directory);
    if (known) return known.tokenFile;
    const volume = await this.cluster.projectVolume({
      ...{ namespace: account.namespace, serviceAccount: account.name },
      ...{ path: 'token', audience, directory },
      expirationSeconds: this.options.tokenSeconds ?? DEFAULT_TOKEN_SECONDS,
      onRotate: () => {
        if (isLogged && !this.isRotatingAll) this.log(`token of ${pathOf(account)} for ${audience} rotated`);
      },
    });
    this.volumes.set(directory, volume);
    return volume.tokenFile;
  }

  /** @returns why a token could not be replaced */
  private renewTokens(): string | undefined {
    this.isRotatingAll = true;
    let reason: string | undefined;
    for (const volume of this.volumes.values()) {
      try {
        volume.rotate();
      } catch (error) {
        reason ??= describeError(error);
      }
    }
    this.isRotatingAll = false;
    return reason;
  }

  private createExpired({ namespace, name }: ServiceAccountName, audience: string): Promise<string> {
    const now = Math.floor(this.cluster.clock.wallMs() / 1000);
    return this.cluster.createToken({
      namespace,
      serviceAccount: name,
      audiences: [audience],
      claims: { iat: now - 7200, nbf: now - 7200, exp: now - 3600 },
    });
  }
}

/** When a verifier refuses the tokens of a deleted ServiceAccount. */
function whenRefused(kind: string): string {
  if (kind === 'tokenreview') return 'tokenreview refuses its tokens within 10 s';
  if (kind === 'hybrid') return 'hybrid refuses its tokens within a minute';
  return `${kind} accepts its tokens until they expire`;
}

function fileName(audience: string): string {
  return audience.replace(/[^\w.-]+/g, '-');
}
