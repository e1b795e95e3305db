import { type Cluster } from './cluster.fixture.js';

/** What one request of a prober brought: times in milliseconds, `status` 0 when there was no answer. */
export interface Probe {
  /** When it was sent, since the epoch. */
  readonly at: number;
  readonly tookMs: number;
  readonly status: number;
  readonly retryAfter: string | null;
  readonly challenge: string | null;
  readonly body: string;
}

export interface ProberOptions {
  readonly name: string;
  readonly namespace?: string;
  readonly serviceAccount?: string;
  /** Of the projected token it sends; without one it sends no token. */
  readonly audience?: string;
  readonly url?: string;
  /** From one request to the next. */
  readonly intervalMs?: number;
}

// Reads the token for each request, as curl in a loop would; no part of ours is in it.
const PROGRAM = `
const { readFileSync } = require('node:fs');
const [url, intervalMs, audience] = process.argv.slice(1);
process.on('SIGTERM', () => process.exit(0));
setInterval(async () => {
  const at = Date.now();
  const headers = audience ? { authorization: 'Bearer ' + readFileSync('/tokens/token', 'utf8').trim() } : {};
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) }).then(
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

/** A pod that sends requests all the time, also while kubectl has no API server to go through. */
export class Prober {
  private constructor(
    private readonly cluster: Cluster,
    private readonly options: ProberOptions,
  ) {}

  /** Resolves when it runs. */
  static async start(cluster: Cluster, options: ProberOptions): Promise<Prober> {
    await cluster.apply(pod(options));
    const prober = new Prober(cluster, options);
    await prober.kubectl('wait', '--for=condition=Ready', `pod/${options.name}`, '--timeout=60s');
    return prober;
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

  async stop(): Promise<void> {
    await this.kubectl('delete', 'pod', this.options.name, '--grace-period=1', '--ignore-not-found');
  }

  private kubectl(...args: string[]): Promise<string> {
    return this.cluster.kubectl('--namespace', this.options.namespace ?? 'mytest', ...args);
  }
}

function pod({ name, namespace = 'mytest', serviceAccount = 'default', audience, ...calls }: ProberOptions) {
  const { url = 'http://service2.mytest.svc', intervalMs = 200 } = calls;
  const token = { path: 'token', audience, expirationSeconds: 600 };
  return {
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
          command: ['node', '-e', PROGRAM, url, String(intervalMs), ...(audience ? [audience] : [])],
          ...(audience ? { volumeMounts: [{ name: 'tokens', mountPath: '/tokens' }] } : {}),
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
      ...(audience
        ? { volumes: [{ name: 'tokens', projected: { sources: [{ serviceAccountToken: token }] } }] }
        : {}),
    },
  };
}
