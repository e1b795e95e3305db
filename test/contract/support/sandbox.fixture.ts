import { randomBytes } from 'node:crypto';
import { type Answer, type Caller } from './contract-api.fixture.js';
import { type ContractTarget } from './contract-target.fixture.js';
import { eventually } from './eventually.fixture.js';
import { type OpenTarget } from './targets.fixture.js';

export const TOKEN_REVIEWS = '/apis/authentication.k8s.io/v1/tokenreviews';

interface Metadata {
  readonly name: string;
  readonly uid: string;
}

export interface ReviewStatus {
  readonly authenticated?: boolean;
  readonly user: Record<string, unknown>;
  readonly audiences?: readonly string[];
  readonly error?: string;
}

/** A separate namespace on a target, which {@link close} deletes with everything in it. */
export class Sandbox {
  readonly namespace = `contract-${randomBytes(5).toString('hex')}`;

  private constructor(readonly target: ContractTarget) {}

  static async open(openTarget: OpenTarget): Promise<Sandbox> {
    const sandbox = new Sandbox(await openTarget());
    await sandbox.created('/api/v1/namespaces', { metadata: { name: sandbox.namespace } });
    return sandbox;
  }

  /** With a ServiceAccount `checkout`, and its token for the API server. */
  static async openAsCheckout(openTarget: OpenTarget): Promise<{ sandbox: Sandbox; token: string }> {
    const sandbox = await Sandbox.open(openTarget);
    await sandbox.createServiceAccount('checkout');
    return { sandbox, token: await sandbox.tokenOf('checkout') };
  }

  get api(): ContractTarget['api'] {
    return this.target.api;
  }

  path(resource: string): string {
    return `/api/v1/namespaces/${this.namespace}/${resource}`;
  }

  username(name: string): string {
    return `system:serviceaccount:${this.namespace}:${name}`;
  }

  createServiceAccount(name: string): Promise<Metadata> {
    return this.created(this.path('serviceaccounts'), { metadata: { name } });
  }

  /** The pod never runs: its node does not exist, or it has no node. */
  createPod(name: string, serviceAccountName: string, nodeName?: string): Promise<Metadata> {
    return this.created(this.path('pods'), {
      metadata: { name },
      spec: {
        serviceAccountName,
        nodeName,
        automountServiceAccountToken: false,
        containers: [{ name: 'none', image: 'registry.invalid/none' }],
      },
    });
  }

  /** Deletes it at once, without a grace period. */
  delete(resource: string): Promise<Answer> {
    return this.api.ask('DELETE', `${this.path(resource)}?gracePeriodSeconds=0`);
  }

  requestToken(serviceAccount: string, spec: object = {}): Promise<Answer> {
    const body = { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', spec };
    return this.api.ask('POST', this.path(`serviceaccounts/${serviceAccount}/token`), { body });
  }

  async tokenOf(serviceAccount: string, spec: object = {}): Promise<string> {
    const { text, body } = await this.requestToken(serviceAccount, spec);
    const token = (body.status as { token?: string } | undefined)?.token;
    if (token === undefined) throw new Error(`no token for "${serviceAccount}": ${text}`);
    return token;
  }

  /** A new ServiceAccount that may review. @returns its token, when the right has arrived */
  async createReviewer(): Promise<string> {
    await this.createServiceAccount('reviewer');
    await this.target.grantTokenReview({ namespace: this.namespace, name: 'reviewer' });
    const token = await this.tokenOf('reviewer', { expirationSeconds: 3600 });
    await eventually(
      () => this.review({ token }, 'probe'),
      ({ status }) => status === 201,
    );
    return token;
  }

  review(as: Caller, token: string, audiences?: readonly string[]): Promise<Answer> {
    const body = { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', spec: { token, audiences } };
    return this.api.ask('POST', TOKEN_REVIEWS, { as, body });
  }

  async verdict(reviewer: string, token: string, audiences?: readonly string[]): Promise<ReviewStatus> {
    return (await this.review({ token: reviewer }, token, audiences)).body.status as ReviewStatus;
  }

  async close(): Promise<void> {
    await this.api.ask('DELETE', `/api/v1/namespaces/${this.namespace}`);
    await this.target.close();
  }

  private async created(path: string, object: object): Promise<Metadata> {
    const { status, text, body } = await this.api.ask('POST', path, { body: object });
    if (status !== 201) throw new Error(`POST ${path}: ${status} ${text}`);
    return body.metadata as Metadata;
  }
}
