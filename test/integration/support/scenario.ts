import { HttpService } from '@nestjs/axios';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  FakeClock,
  LocalCluster,
  type LocalClusterOptions,
  type ProjectedVolume,
} from 'nest-k8s-auth/testing';
import { verifierDefinitions, type VerifierOptions } from '../../../libs/k8s-auth/src/verifiers/index.js';
import { CapturedLog } from './captured-log.js';
import {
  type Adapter,
  ADAPTERS,
  type RunningApp,
  startService1,
  startService2,
  type StartOptions,
} from './services.js';

export type VerifierKind = VerifierOptions['kind'];
export const VERIFIERS: readonly VerifierKind[] = verifierDefinitions.map(({ kind }) => kind);

/** The verifiers that send reviews to the API server, so they notice revocations and outages. */
export const REVIEWING: readonly VerifierKind[] = ['tokenreview', 'hybrid'];

/** Every verifier on every HTTP server. */
export const EVERYWHERE = VERIFIERS.flatMap((verifier) => ADAPTERS.map((adapter) => ({ verifier, adapter })));

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface ScenarioOptions {
  readonly verifier: VerifierKind;
  readonly adapter: Adapter;
  readonly cluster?: Omit<LocalClusterOptions, 'clock'>;
  /** Additional variables, besides those that the verifier needs. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Starts only service2; `call` must not be used then. */
  readonly serverOnly?: boolean;
  /** Path that service1 calls; `/` when omitted. */
  readonly targetPath?: string;
  /** The API server becomes unreachable before service2 starts. */
  readonly outageAtBoot?: boolean;
  /** service2 lacks the right to read discovery from the start. */
  readonly withoutDiscovery?: boolean;
}

/** Both applications on loopback, a stand-in for the cluster, and a clock that the test controls. */
export class Scenario {
  private constructor(
    readonly clock: FakeClock,
    /** The log lines of both applications. */
    readonly log: CapturedLog,
    readonly cluster: LocalCluster,
    /** service1's token for service2, in the directory that its pod would mount. */
    readonly volume: ProjectedVolume,
    readonly service2: RunningApp,
    private readonly client: RunningApp | undefined,
    /** service2's own API credential, as mounted into its pod, and the file `sa.pub` of jwt-pubkey. */
    private readonly files: { readonly mount: string; readonly publicKeys: string },
  ) {}

  static async start(options: ScenarioOptions): Promise<Scenario> {
    const { verifier, adapter, environment } = options;
    const clock = new FakeClock();
    const log = new CapturedLog();
    const cluster = await LocalCluster.start({ ...options.cluster, clock });
    for (const name of ['service2', 'admin']) await cluster.createServiceAccount('mytest', name);
    cluster.grant('create tokenreviews', 'mytest/service2');
    if (options.withoutDiscovery) cluster.revoke('read discovery', 'mytest/service2');
    const volume = await cluster.projectVolume({
      ...{ namespace: 'mytest', serviceAccount: 'default', path: 'service2', audience: 'service2' },
      expirationSeconds: 600,
      autoRotate: false,
    });
    const mount = await cluster.writeInClusterMount({ namespace: 'mytest', serviceAccount: 'service2' });
    // Beside the mount, in the folder that the cluster removes.
    const publicKeys = `${mount}-sa.pub`;
    writeFileSync(publicKeys, cluster.publicKeysPem());
    if (options.outageAtBoot) await cluster.outage();
    const service2 = await startService2({
      ...{ adapter, clock, log },
      environment: { ...serverEnvironment(verifier, cluster, mount, publicKeys), ...environment },
    });
    const client = options.serverOnly
      ? undefined
      : await startClient({ adapter, clock, log }, service2.url, volume, options.targetPath);
    return new Scenario(clock, log, cluster, volume, service2, client, { mount, publicKeys });
  }

  get service1(): RunningApp {
    if (!this.client) throw new Error('this scenario has no client');
    return this.client;
  }

  /** service1 calls service2, as its own code would. */
  async call(path = '/'): Promise<Answer> {
    const http = this.service1.app.get(HttpService, { strict: false });
    const { status, data, headers } = await http.axiosRef.get<string>(this.service2.url + path, {
      validateStatus: () => true,
      responseType: 'text',
    });
    return { status, body: data, headers: { ...headers } };
  }

  /** Calls service2 as any client. */
  async request(path: string, authorization?: string): Promise<Answer> {
    const response = await fetch(
      this.service2.url + path,
      authorization ? { headers: { authorization } } : {},
    );
    return {
      status: response.status,
      body: await response.text(),
      headers: Object.fromEntries(response.headers),
    };
  }

  /** An `Authorization` header with a token that the cluster issues. */
  async bearer(options: Partial<Parameters<LocalCluster['createToken']>[0]> = {}): Promise<string> {
    const token = await this.cluster.createToken({
      namespace: 'mytest',
      serviceAccount: 'default',
      audiences: ['service2'],
      ...options,
    });
    return `Bearer ${token}`;
  }

  /** Updates the key file with the keys that the cluster publishes now, as an operator updates a ConfigMap. */
  updatePublicKeys(): void {
    writeFileSync(this.files.publicKeys, this.cluster.publicKeysPem());
  }

  /** Replaces service2's API token, as the kubelet does. */
  async renewServerToken(): Promise<void> {
    await this.cluster.writeInClusterMount({
      namespace: 'mytest',
      serviceAccount: 'service2',
      directory: this.files.mount,
    });
  }

  /** Advances the clock until the answer arrives, for requests that wait, retry or time out. */
  async waitFor<T>(answer: Promise<T>, stepMs = 100): Promise<T> {
    let isSettled = false;
    const settled = answer.finally(() => (isSettled = true));
    settled.catch(() => undefined);
    while (!isSettled) await this.clock.advance(stepMs);
    return settled;
  }

  /** Repeats the request until it has this status, without advancing the clock, while background work finishes. */
  async expectEventually(status: number, path: string, authorization?: string): Promise<void> {
    while ((await this.request(path, authorization)).status !== status);
  }

  async close(): Promise<void> {
    await this.client?.app.close();
    await this.service2.app.close();
    await this.cluster.close();
  }
}

function serverEnvironment(
  verifier: VerifierKind,
  cluster: LocalCluster,
  mount: string,
  publicKeyFile: string,
): Record<string, string> {
  return verifier === 'jwt-pubkey'
    ? {
        K8S_AUTH_VERIFIER: verifier,
        K8S_AUTH_ISSUER: cluster.issuer,
        K8S_AUTH_PUBLIC_KEY_FILES: publicKeyFile,
      }
    : {
        K8S_AUTH_VERIFIER: verifier,
        K8S_AUTH_API_SERVER_URL: cluster.url,
        K8S_AUTH_API_SERVER_CA_FILE: join(mount, 'ca.crt'),
        K8S_AUTH_API_SERVER_TOKEN_FILE: join(mount, 'token'),
      };
}

async function startClient(
  common: Omit<StartOptions, 'environment'>,
  target: string,
  volume: ProjectedVolume,
  path = '',
): Promise<RunningApp> {
  const client = await startService1({
    ...common,
    environment: {
      TARGET_URL: target + path,
      // Waits for service1's own first call; the tests make all other calls.
      INTERVAL_MS: '86400000',
      K8S_AUTH_DESTINATIONS: `${target}=${volume.tokenFile}`,
    },
  });
  await common.log.waitFor(/target=/);
  return client;
}
