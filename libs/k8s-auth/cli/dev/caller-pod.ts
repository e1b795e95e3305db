import { type ServiceAccountName } from '../../src/identity/names.js';
import { type LocalCluster } from '../../testing/local-cluster/local-cluster.js';
import { CraftedTokens, type TokenSubject } from './crafted-tokens.js';
import { type DevOptions, pathOf } from './dev.options.js';
import { type PodVolumes } from './pod-volumes.js';

export interface CallerPodOptions {
  readonly cluster: LocalCluster;
  readonly options: DevOptions;
  readonly volumes: PodVolumes;
  readonly otherAudience: string;
  readonly log: (line: string) => void;
  /** The kinds of the verifiers that are in use now. */
  readonly verifiers: () => readonly string[];
  readonly isReachable: () => boolean;
  readonly directoryOf: (account: ServiceAccountName, audience: string) => string;
}

/** The first caller: its ServiceAccount, its pod, and its token for the first service that receives calls. */
export class CallerPod {
  private isDeleted = false;
  private isPodDeleted = false;
  private isForAnother = false;
  private ofPresentKey: Promise<string | undefined> | undefined;
  private ofPreviousKey: Promise<string | undefined> | undefined;

  constructor(private readonly parts: CallerPodOptions) {}

  /** Whose token it is, and the audience that the service expects. @throws {Error} no service receives calls */
  get subject(): TokenSubject {
    const { callers, services } = this.parts.options;
    const [account] = callers;
    const service = services.find(({ verifier }) => verifier !== undefined);
    if (!account || !service) throw new Error('no service receives calls');
    return { account, audience: service.audience };
  }

  get state(): { readonly exists: boolean; readonly hasPod: boolean; readonly isForAnotherService: boolean } {
    return { exists: !this.isDeleted, hasPod: !this.isPodDeleted, isForAnotherService: this.isForAnother };
  }

  /** The token in the file that the caller mounts. */
  token(): string {
    const { account, audience } = this.subject;
    return this.parts.volumes.read(this.parts.directoryOf(account, audience));
  }

  /** A token that the previous signing key has signed. @throws {Error} there was no other key before */
  async tokenOfPreviousKey(): Promise<string> {
    const token = await this.ofPreviousKey;
    if (token === undefined) throw new Error('no other key has signed before: rotate the signing key first');
    return token;
  }

  /** To be called at the start, and whenever another key signs. */
  noteRotation(): void {
    this.ofPreviousKey = this.ofPresentKey;
    this.ofPresentKey = this.longLivedToken();
  }

  /** Deletes the ServiceAccount, or creates it again. */
  async toggleAccount(): Promise<void> {
    this.assertReachable();
    const { cluster, log, volumes } = this.parts;
    const { account } = this.subject;
    this.isDeleted = !this.isDeleted;
    if (this.isDeleted) {
      await cluster.deleteServiceAccount(account.namespace, account.name);
      return log(`${pathOf(account)} deleted: ${this.whenRefused()}`);
    }
    await cluster.createServiceAccount(account.namespace, account.name);
    volumes.renewAll();
    this.ofPresentKey = this.longLivedToken();
    log(`${pathOf(account)} created again, with new tokens`);
  }

  /** Deletes the pod that the token is bound to, or starts another one. */
  async togglePod(): Promise<void> {
    this.assertReachable();
    const { log, volumes } = this.parts;
    const { account } = this.subject;
    if (!this.isPodDeleted) {
      const name = await volumes.deletePod(account);
      this.isPodDeleted = true;
      return log(`pod ${account.namespace}/${name} deleted: ${this.whenRefused()}`);
    }
    const name = await this.startPod(this.isForAnother);
    log(`pod ${account.namespace}/${name} started, with new tokens`);
  }

  /** Starts a pod whose token is issued for another service, or for the right service again. */
  async toggleAudience(): Promise<void> {
    const name = await this.startPod(!this.isForAnother);
    this.isForAnother = !this.isForAnother;
    const { account, audience } = this.subject;
    const issuedFor = this.isForAnother ? this.parts.otherAudience : audience;
    this.parts.log(`pod ${account.namespace}/${name} started, its token is issued for ${issuedFor}`);
  }

  /** @throws {Error} no pod can be started now */
  private async startPod(isForAnother: boolean): Promise<string> {
    if (this.isDeleted) throw new Error('the ServiceAccount is deleted: create it again first');
    this.assertReachable();
    const { account, audience } = this.subject;
    const directory = this.parts.directoryOf(account, audience);
    const name = await this.parts.volumes.replacePod(account, (request) =>
      request.directory === directory
        ? { ...request, audience: isForAnother ? this.parts.otherAudience : audience }
        : request,
    );
    this.isPodDeleted = false;
    return name;
  }

  private assertReachable(): void {
    if (!this.parts.isReachable()) throw new Error('the API server is unreachable: end the outage first');
  }

  /** `undefined` if no token can be issued now. */
  private async longLivedToken(): Promise<string | undefined> {
    try {
      return await new CraftedTokens(this.parts.cluster).longLived(this.subject);
    } catch {
      return undefined;
    }
  }

  private whenRefused(): string {
    return [...new Set(this.parts.verifiers())].map(whenRefused).join(', ');
  }
}

/** When a verifier refuses the tokens of a deleted ServiceAccount or pod. */
function whenRefused(kind: string): string {
  if (kind === 'tokenreview') return 'tokenreview refuses its tokens within 10 s';
  if (kind === 'hybrid') return 'hybrid refuses its tokens within a minute';
  return `${kind} accepts its tokens until they expire`;
}
