import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster } from './cluster.fixture.js';
import { createToken } from './tokens.fixture.js';

/** The used part of an audit event of the API server (audit.k8s.io/v1). */
export interface AuditEvent {
  readonly verb: string;
  readonly requestURI: string;
  readonly user: { readonly username: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
  readonly annotations?: Readonly<Record<string, string>>;
}

interface KubeconfigCluster {
  readonly server: string;
  readonly 'certificate-authority-data': string;
}

/** A control plane whose API server writes an audit log, with the ServiceAccounts `mytest/default` and `mytest/service2`. */
export class AuditedCluster {
  private constructor(
    readonly cluster: Cluster,
    private readonly folder: string,
    private readonly auditLog: string,
    private readonly server: { readonly url: string; readonly ca: string },
  ) {}

  static async up(): Promise<AuditedCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'audited-cluster-'));
    const auditLog = join(folder, 'audit.log');
    const cluster = await Cluster.up('audit', '--control-plane-only', '--audit-log', auditLog);
    await cluster.kubectl('create', 'namespace', 'mytest');
    await cluster.kubectl('wait', '--for=create', '--namespace=mytest', 'serviceaccount/default');
    await cluster.kubectl('create', 'serviceaccount', 'service2', '--namespace=mytest');
    const subject = '--serviceaccount=mytest:service2';
    await cluster.kubectl(
      'create',
      'clusterrolebinding',
      's2',
      '--clusterrole=system:auth-delegator',
      subject,
    );
    const config = await cluster.kubectl('config', 'view', '--raw', '--minify', '--flatten', '--output=json');
    const [first] = (JSON.parse(config) as { clusters: { cluster: KubeconfigCluster }[] }).clusters;
    const ca = Buffer.from(first?.cluster['certificate-authority-data'] ?? '', 'base64').toString();
    return new AuditedCluster(cluster, folder, auditLog, { url: first?.cluster.server ?? '', ca });
  }

  /** The variables with which service2 uses the API server as its own ServiceAccount. */
  async environment(): Promise<Record<string, string>> {
    const [caFile, tokenFile] = [join(this.folder, 'ca.crt'), join(this.folder, 'token')];
    writeFileSync(caFile, this.server.ca);
    writeFileSync(tokenFile, await createToken(this.cluster, { serviceAccount: 'service2' }));
    return {
      K8S_AUTH_API_SERVER_URL: this.server.url,
      K8S_AUTH_API_SERVER_CA_FILE: caFile,
      K8S_AUTH_API_SERVER_TOKEN_FILE: tokenFile,
    };
  }

  /** A token of `mytest/default` that both service2 and the API server accept. */
  async tokenForBoth(): Promise<string> {
    const { issuer } = await this.cluster.metadata();
    const audiences = ['--audience=service2', `--audience=${issuer}`];
    const token = await this.cluster.kubectl(
      'create',
      'token',
      'default',
      '--namespace=mytest',
      ...audiences,
    );
    return token.trim();
  }

  /** @returns the status of `GET /api` with the token */
  async callApiServer(token: string): Promise<number | undefined> {
    const headers = { authorization: `Bearer ${token}` };
    const [response] = (await once(
      get(`${this.server.url}/api`, { ca: this.server.ca, headers, agent: false }),
      'response',
    )) as [IncomingMessage];
    response.resume();
    return response.statusCode;
  }

  events(): AuditEvent[] {
    const lines = readFileSync(this.auditLog, 'utf8').split('\n');
    return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as AuditEvent);
  }

  auditText(): string {
    return readFileSync(this.auditLog, 'utf8');
  }

  async down(): Promise<void> {
    await this.cluster.down();
    rmSync(this.folder, { recursive: true });
  }
}
