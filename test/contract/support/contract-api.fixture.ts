import { Agent, request, type RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';

/** Who sends the request: the kubeconfig's user, an anonymous caller, or the owner of a token. */
export type Caller = 'administrator' | 'nobody' | { readonly token: string };

export interface Question {
  readonly as?: Caller;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
  /** The body as JSON, or an empty object if it is not JSON; the calling test knows its shape. */
  readonly body: Record<string, unknown>;
}

/** The Kubernetes API of whichever cluster a kubeconfig names, in plain requests. */
export class ContractApi {
  private constructor(
    private readonly server: URL,
    private readonly administrator: RequestOptions,
    private readonly anyone: Agent,
  ) {}

  /** @param kubeconfig path of a file; its current context counts */
  static async fromKubeconfig(kubeconfig: string): Promise<ContractApi> {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    const cluster = config.getCurrentCluster();
    if (!cluster) throw new Error('the kubeconfig has no current context');
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    const { ca, cert, key, servername, rejectUnauthorized, headers } = options;
    const tls = { ca, servername, rejectUnauthorized, keepAlive: true };
    return new ContractApi(
      new URL(cluster.server),
      { headers, agent: new Agent({ ...tls, cert, key }) },
      new Agent(tls),
    );
  }

  ask(method: 'GET' | 'POST' | 'DELETE', path: string, question: Question = {}): Promise<Answer> {
    const { as = 'administrator', body, headers } = question;
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const options = as === 'administrator' ? this.administrator : { agent: this.anyone };
    return new Promise((resolve, reject) => {
      request(
        new URL(path, this.server),
        {
          ...options,
          method,
          headers: {
            ...(options.headers as Record<string, string> | undefined),
            ...(typeof as === 'object' && { authorization: `Bearer ${as.token}` }),
            ...(text !== undefined && {
              'content-type': 'application/json',
              'content-length': String(Buffer.byteLength(text)),
            }),
            ...headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', reject);
          response.once('end', () => {
            const received = Buffer.concat(chunks).toString();
            const { statusCode = 0, headers } = response;
            resolve({ status: statusCode, headers, text: received, body: parse(received) });
          });
        },
      )
        .once('error', reject)
        .end(text);
    });
  }

  close(): void {
    this.anyone.destroy();
    if (this.administrator.agent instanceof Agent) this.administrator.agent.destroy();
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
