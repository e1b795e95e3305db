import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority } from '../../testing/local-cluster/certificates.js';
import { signRaw } from '../../testing/raw-token.fixture.js';
import { issueLoopback, startHttpsServer } from '../http/https-server.fixture.js';
import { verificationKeyOf } from '../jwt/verification-key.js';

/** An issuer that is not an API server, with its own key. Specs define its answers. */
export class IssuerServer {
  private readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  /** The answers by path; every other path is answered with 404. */
  readonly answers = new Map<string, RequestListener>();
  /** Path and `Authorization` header of each request. */
  readonly requests: { path: string; authorization: string | undefined }[] = [];
  private stop: () => Promise<void> = () => Promise.resolve();

  private constructor(
    readonly ca: string,
    readonly caFile: string,
    readonly folder: string,
  ) {}

  url = '';

  /** @param authority signs the server's certificate; the CA file contains only this CA */
  static async start(authority?: CertificateAuthority): Promise<IssuerServer> {
    authority ??= await CertificateAuthority.create();
    const folder = await mkdtemp(join(tmpdir(), 'issuer-'));
    const caFile = join(folder, 'ca.crt');
    await writeFile(caFile, authority.pem);
    const issuer = new IssuerServer(authority.pem, caFile, folder);
    const server = await startHttpsServer(await issueLoopback(authority), (request, response) =>
      issuer.answer(request, response),
    );
    issuer.url = server.url;
    issuer.stop = () => server.close();
    return issuer;
  }

  /** Answers with metadata, which names this issuer by default, and with a key set, at the usual paths. */
  publish({ issuer = this.url, jwksUri = `${this.url}/keys`, path = '' } = {}): void {
    this.answers.set(`${path}/.well-known/openid-configuration`, json({ issuer, jwks_uri: jwksUri }));
    this.answers.set('/keys', json(this.keySet()));
  }

  /** @param kid replaces the key ID that Kubernetes would use */
  keySet(kid?: string): object {
    const jwk = this.keys.publicKey.export({ format: 'jwk' });
    return { keys: [kid === undefined ? jwk : { ...jwk, kid }] };
  }

  /** A token that is signed with the key of {@link keySet}. */
  token(issuer: string, expSeconds: number, kid = verificationKeyOf(this.keys.publicKey).keyId): string {
    const claims = {
      iss: issuer,
      sub: 'system:serviceaccount:shop:checkout',
      aud: 'orders',
      exp: expSeconds,
      'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'checkout', uid: 'u-1' } },
    };
    return signRaw(this.keys.privateKey, { alg: 'ES256', kid }, claims);
  }

  paths(): string[] {
    return this.requests.map(({ path }) => path);
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true });
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    this.requests.push({ path, authorization: request.headers.authorization });
    const answer = this.answers.get(path);
    if (answer) answer(request, response);
    else response.writeHead(404).end();
  }
}

export function json(document: unknown): RequestListener {
  return (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
  };
}
