import { setTimeout } from 'node:timers/promises';
import { type Cluster } from './cluster.fixture.js';
import { LogStream } from './log-stream.fixture.js';
import { type Answer } from './request.fixture.js';

/** The result of one request of a prober: times in milliseconds, `status` 0 if there was no answer. */
export interface Probe extends Answer {
  /** When it was sent, since the epoch. */
  readonly at: number;
  readonly tookMs: number;
}

export interface ProberOptions {
  readonly name: string;
  readonly namespace?: string;
  readonly serviceAccount?: string;
  /** Audience of the projected token to send; without an audience no token is sent. */
  readonly audience?: string;
  /** A fixed token, instead of the projected one. */
  readonly token?: string;
  readonly url?: string;
  readonly method?: 'GET' | 'POST';
  /** From one request to the next. */
  readonly intervalMs?: number;
  /** Whether one connection serves many requests. @default true */
  readonly keepsConnections?: boolean;
}

const LOOK_AGAIN_MS = 500;

/** @throws {Error} when there was none */
export function answeredAt(probe: Probe | undefined): number {
  if (!probe) throw new Error('no such request of the prober');
  return probe.at + probe.tookMs;
}

// Reads the token for each request, like curl in a loop; it uses no code of this repository.
const PROGRAM = `
const { readFileSync } = require('node:fs');
const [method, url, intervalMs, ...flags] = process.argv.slice(1);
process.on('SIGTERM', () => process.exit(0));
setInterval(async () => {
  const at = Date.now();
  const headers = flags.includes('new-connections') ? { connection: 'close' } : {};
  if (flags.includes('with-token')) headers.authorization = 'Bearer ' + readFileSync('/tokens/token', 'utf8').trim();
  const answer = await fetch(url, { method, headers, signal: AbortSignal.timeout(10_000) }).then(
    async (response) => ({
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      challenge: response.headers.get('www-authenticate'),
      body: await response.text(),
    }),
    (error) => ({ status: 0, retryAfter: null, challenge: null, body: String(error.cause?.code ?? error.name) }),
  );
  console.log(JSON.stringify({ at, tookMs: Date.now() - at, ...answer }));
}, Number(intervalMs));
`;

/** A pod that sends requests continuously, even while the API server is unreachable for kubectl. */
export class Prober {
  private constructor(
    private readonly cluster: Cluster,
    private readonly options: ProberOptions,
  ) {}

  /** Resolves when it runs. */
  static async start(cluster: Cluster, options: ProberOptions): Promise<Prober> {
    await cluster.apply(...manifests(options));
    const prober = new Prober(cluster, options);
    await prober.kubectl('wait', '--for=condition=Ready', `pod/${options.name}`, '--timeout=60s');
    return prober;
  }

  /** The result of the first request of such a pod, which is then deleted. */
  static async firstAnswer(cluster: Cluster, options: ProberOptions): Promise<Probe> {
    const prober = await Prober.start(cluster, options);
    try {
      const { name, namespace } = options;
      return JSON.parse(await LogStream.lineOf(cluster, name, /"status"/, namespace)) as Probe;
    } finally {
      await prober.stop();
    }
  }

  /** All its requests up to now, in the order of their answers. */
  async probes(): Promise<Probe[]> {
    const log = await this.kubectl('logs', this.options.name);
    return log
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Probe);
  }

  /**
   * The first of its requests that matches.
   * @throws {Error} with the last ones, when there is none for `timeoutMs`
   */
  async first(matches: (probe: Probe) => boolean, timeoutMs: number): Promise<Probe> {
    const deadline = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const probes = await this.probes();
      const found = probes.find(matches);
      if (found) return found;
      if (deadline.aborted)
        throw new Error(`no such request; the last ones: ${JSON.stringify(probes.slice(-3))}`);
      await setTimeout(LOOK_AGAIN_MS);
    }
  }

  async stop(): Promise<void> {
    const { name, token } = this.options;
    await this.kubectl('delete', 'pod', name, '--grace-period=1', '--ignore-not-found');
    if (token !== undefined) await this.kubectl('delete', 'secret', name, '--ignore-not-found');
  }

  private kubectl(...args: string[]): Promise<string> {
    return this.cluster.kubectl('--namespace', this.options.namespace ?? 'mytest', ...args);
  }
}

function manifests({ name, namespace = 'mytest', serviceAccount = 'default', ...what }: ProberOptions) {
  const { audience, token, method = 'GET', url = 'http://service2.mytest.svc', intervalMs = 200 } = what;
  const flags = [
    ...(audience === undefined && token === undefined ? [] : ['with-token']),
    ...(what.keepsConnections === false ? ['new-connections'] : []),
  ];
  const volumes = [...tokenVolume(name, audience, token), ...authorityVolume(url)];
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: {
      serviceAccountName: serviceAccount,
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 1,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'prober',
          image: 'nest-k8s-auth/service1:dev',
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '-e', PROGRAM, method, url, String(intervalMs), ...flags],
          ...(url.startsWith('https:') && {
            env: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/authority/ca.crt' }],
          }),
          volumeMounts: volumes.map((volume) => ({ name: volume.name, mountPath: `/${volume.name}` })),
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
      volumes,
    },
  };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    stringData: { token },
  };
  return token === undefined ? [pod] : [secret, pod];
}

function tokenVolume(name: string, audience: string | undefined, token: string | undefined) {
  if (token !== undefined) return [{ name: 'tokens', secret: { secretName: name } }];
  const projected = {
    sources: [{ serviceAccountToken: { path: 'token', audience, expirationSeconds: 600 } }],
  };
  return audience === undefined ? [] : [{ name: 'tokens', projected }];
}

/** The API server's CA, which is in every namespace, for a prober that asks the API server. */
function authorityVolume(url: string) {
  return url.startsWith('https:') ? [{ name: 'authority', configMap: { name: 'kube-root-ca.crt' } }] : [];
}
