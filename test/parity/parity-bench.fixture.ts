import { HttpModule, HttpService } from '@nestjs/axios';
import { type DynamicModule } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { K8sAuthHttpModule, K8sAuthModule } from 'nest-k8s-auth';
import { type Answer, type Adapter, type Call, type Scenario } from './scenario.fixture.js';

/** A request as a server saw it, without what names the sender: the port and the token. */
interface Arrival {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** The same scenario for two clients: a plain HttpService, and one that sends tokens. */
export class ParityBench {
  readonly #directory = mkdtempSync(join(tmpdir(), 'parity-'));
  readonly #tokenFile = join(this.#directory, 'token');
  readonly #servers: Server[] = [];
  readonly #modules: TestingModule[] = [];
  #arrivals: Arrival[] = [];
  #tokensArrived = 0;
  #plays = 0;
  #answer: Answer = () => {};
  #clients: Record<'plain' | 'ours', HttpService> | undefined;

  static async start(): Promise<ParityBench> {
    const bench = new ParityBench();
    const [origin = '', , tokenless = ''] = [
      await bench.#listen(),
      await bench.#listen(),
      await bench.#listen(),
    ];
    await bench.#rotate();
    bench.#clients = {
      plain: await bench.#httpService(HttpModule.register({})),
      ours: await bench.#httpService(
        K8sAuthModule.forRoot({
          destinations: [
            { origin, tokenFile: bench.#tokenFile },
            { origin: tokenless, tokenFile: join(bench.#directory, 'missing') },
          ],
        }),
        K8sAuthHttpModule.register({}),
      ),
    };
    return bench;
  }

  get clients(): Record<'plain' | 'ours', HttpService> {
    if (!this.#clients) throw new Error('the bench has not been started');
    return this.#clients;
  }

  /** @returns the observations for each client: the outcome, and the requests that arrived */
  async play(
    scenario: Scenario,
    adapter: Adapter,
  ): Promise<{ plain: unknown; ours: unknown; tokens: number }> {
    this.#plays++;
    const plain = await this.#playOn(this.clients.plain, scenario, adapter);
    this.#tokensArrived = 0;
    const ours = await this.#playOn(this.clients.ours, scenario, adapter);
    return { plain, ours, tokens: this.#tokensArrived };
  }

  async close(): Promise<void> {
    await Promise.all(this.#modules.map((module) => module.close()));
    for (const server of this.#servers) server.closeAllConnections();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
    rmSync(this.#directory, { recursive: true });
  }

  async #playOn(
    http: HttpService,
    { run, answer, ignoresArrivals }: Scenario,
    adapter: Adapter,
  ): Promise<unknown> {
    this.#arrivals = [];
    this.#answer = answer ?? ((_request, response) => void response.end('ok'));
    const [origin = '', elsewhere = '', tokenless = ''] = this.#servers.map(originOf);
    const call: Call = {
      http: http.axiosRef,
      origin,
      elsewhere,
      tokenless,
      rotate: () => this.#rotate(),
      config: (more = {}) => ({ adapter, ...more }),
    };
    // A request that arrives late belongs to the previous scenario.
    call.http.defaults.headers.common['x-play'] = String(this.#plays);
    const outcome = await run(call);
    const text = JSON.stringify(
      { outcome, arrivals: ignoresArrivals || this.#arrivals },
      (_key, value: unknown) => (value === undefined ? '(undefined)' : value),
    );
    return JSON.parse(
      withoutBoundary(text).replaceAll(origin, '(origin)').replaceAll(elsewhere, '(elsewhere)'),
    );
  }

  async #rotate(): Promise<void> {
    writeFileSync(this.#tokenFile, await mintToken());
  }

  async #httpService(...imports: DynamicModule[]): Promise<HttpService> {
    const module = await Test.createTestingModule({ imports }).compile();
    await module.init();
    this.#modules.push(module);
    return module.get(HttpService, { strict: false });
  }

  async #listen(): Promise<string> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('error', () => {});
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { authorization, host: _host, ...headers } = request.headers;
        if (headers['x-play'] !== String(this.#plays)) return;
        if (authorization) this.#tokensArrived++;
        const body = Buffer.concat(chunks);
        const { method, url } = request;
        this.#arrivals.push({ method, url, headers, body: body.toString('latin1') });
        this.#answer(request, response, body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#servers.push(server);
    return originOf(server);
  }
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Boundaries of forms are random. */
function withoutBoundary(json: string): string {
  return json.replace(/-{2,}[\w-]*\d[\w-]{10,}|axios-([\d.]+-boundary-)?[\w-]{20,}/g, '(boundary)');
}

function mintToken(): Promise<string> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return new SignJWT({ aud: ['service2'] })
    .setProtectedHeader({ alg: 'ES256' })
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey);
}
