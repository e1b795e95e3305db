import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { type LocalCluster } from './local-cluster.js';

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The body as JSON; the calling test knows its shape. */
  readonly json: () => Record<string, unknown> & { status: Record<string, unknown> };
}

/** Sends requests to a cluster over HTTPS, and trusts its CA. Close it before the cluster. */
export class ApiClient {
  private readonly agent: Agent;

  /** @param certificate of the client, PEM */
  constructor(
    private readonly cluster: LocalCluster,
    certificate: { cert?: string; key?: string } = {},
  ) {
    this.agent = new Agent({ connections: 1, connect: { ca: cluster.ca, ...certificate } });
  }

  /** A client with the administrator's certificate from a kubeconfig. */
  static async asAdministrator(cluster: LocalCluster): Promise<ApiClient> {
    const { users } = JSON.parse(readFileSync(await cluster.writeKubeconfig(), 'utf8')) as {
      users: [{ user: Record<'client-certificate-data' | 'client-key-data', string> }];
    };
    const [{ user }] = users;
    const decode = (text: string) => Buffer.from(text, 'base64').toString();
    return new ApiClient(cluster, {
      cert: decode(user['client-certificate-data']),
      key: decode(user['client-key-data']),
    });
  }

  async ask(
    method: 'GET' | 'POST' | 'DELETE' | 'PUT',
    path: string,
    { token, body, headers = {} }: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
  ): Promise<Answered> {
    const response = await request(`${this.cluster.url}${path}`, {
      method,
      dispatcher: this.agent,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.body.text();
    return {
      status: response.statusCode,
      headers: response.headers,
      text,
      json: () => JSON.parse(text) as ReturnType<Answered['json']>,
    };
  }

  /** @returns `status` of the TokenReview */
  async review(
    reviewer: string,
    token: string,
    audiences?: readonly string[],
  ): Promise<Record<string, unknown>> {
    const body = { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', spec: { token, audiences } };
    const path = '/apis/authentication.k8s.io/v1/tokenreviews';
    return (await this.ask('POST', path, { token: reviewer, body })).json().status;
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }
}
