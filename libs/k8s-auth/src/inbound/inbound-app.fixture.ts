import { request } from 'node:http';
import { type INestApplication, type ModuleMetadata, type Type } from '@nestjs/common';
import { type AbstractHttpAdapter, APP_GUARD } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { FakeClock } from '../../testing/fake-clock.js';
import { ConfigurationError } from '../errors.js';
import { createPrincipal, type Principal } from '../identity/principal.js';
import { K8S_AUTH_CLOCK } from '../util/clock.js';
import { type Log, type LogEvent } from '../util/log.js';
import { type Verdict, type Verifier, type Verify } from '../verifiers/verifier.js';
import { K8sAuthModule } from '../k8s-auth.module.js';
import { K8S_AUTH_VERIFIER } from './inbound.constants.js';
import { K8sAuthGuard } from './request/k8s-auth.guard.js';
import { RefusalLog } from './request/refusal-log.js';

/** What every behaviour of this folder is shown on. */
export const ADAPTERS = ['express', 'fastify'] as const;
export type AdapterName = (typeof ADAPTERS)[number];

export function newAdapter(name: AdapterName): AbstractHttpAdapter {
  return name === 'express' ? new ExpressAdapter() : new FastifyAdapter();
}

export function principalNamed(path: string): Principal {
  const [namespace = '', serviceAccount = ''] = path.split('/');
  return createPrincipal({
    namespace,
    serviceAccount,
    serviceAccountUid: '6f1c2d1e-0000-4000-8000-000000000001',
    audiences: ['orders'],
    issuer: 'https://issuer.test',
    credentialId: 'JTI=41b9',
    verifiedBy: 'scripted',
  });
}

export function verdictFor(path: string): Verdict {
  return { principal: principalNamed(path), validUntilMs: Number.MAX_SAFE_INTEGER };
}

/** Stands at our own seam: answers as scripted and remembers what it was asked. */
export class ScriptedVerifier implements Verifier {
  readonly asked: { token: string; audiences: readonly string[] }[] = [];

  constructor(private readonly answer: (token: string) => unknown = () => verdictFor('shop/checkout')) {}

  readonly verify: Verify = (token, audiences) => {
    this.asked.push({ token, audiences });
    return this.answer(token) as Verdict | Promise<Verdict>;
  };

  start(): void {}
  readiness() {
    return { status: 'ready' } as const;
  }
  apiServerAudiences(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

export class CapturedLog implements Log {
  readonly lines: ({ level: 'log' | 'warn' | 'error' } & LogEvent)[] = [];

  log(event: LogEvent): void {
    this.lines.push({ level: 'log', ...event });
  }
  warn(event: LogEvent): void {
    this.lines.push({ level: 'warn', ...event });
  }
  error(event: LogEvent): void {
    this.lines.push({ level: 'error', ...event });
  }
}

export interface AppSetup extends Pick<ModuleMetadata, 'providers' | 'imports'> {
  readonly controllers: Type[];
  readonly verifier?: Verifier;
  readonly noVerifier?: true;
  readonly audience?: string | readonly string[];
  readonly maxTokenBytes?: number;
  readonly guardIsGlobal?: boolean;
  readonly configure?: (app: INestApplication) => void;
}

export interface RunningApp {
  readonly app: INestApplication;
  readonly url: string;
  readonly log: CapturedLog;
  readonly clock: FakeClock;
}

// Valid options; the verifier that they would make is replaced by the scripted one.
const OVERRIDDEN = {
  kind: 'jwt-pubkey',
  issuer: 'https://issuer.test',
  publicKeyFiles: ['/unused'],
} as const;

const running = new Set<INestApplication>();

/** For afterEach or afterAll, so that a test that failed half-way leaves no socket open. */
export async function closeApps(): Promise<void> {
  for (const app of running) await app.close();
  running.clear();
}

/** A real application on a loopback socket, with K8sAuthModule as its users import it, and a verifier at our own seam. */
export async function startApp(name: AdapterName, setup: AppSetup): Promise<RunningApp> {
  const log = new CapturedLog();
  const clock = new FakeClock();
  const verifier = setup.noVerifier ? undefined : (setup.verifier ?? new ScriptedVerifier());
  const { audience, maxTokenBytes } = setup;
  const root = await Test.createTestingModule({
    imports: [
      // First, so that their hooks run before ours.
      ...(setup.imports ?? []),
      K8sAuthModule.forRoot({
        ...(setup.noVerifier ? { destinations: [] } : { verifier: OVERRIDDEN }),
        ...(audience !== undefined && { audience }),
        ...(maxTokenBytes !== undefined && { maxTokenBytes }),
      }),
    ],
    controllers: setup.controllers,
    providers: [
      ...(setup.guardIsGlobal ? [{ provide: APP_GUARD, useExisting: K8sAuthGuard }] : []),
      ...(setup.providers ?? []),
    ],
  })
    .overrideProvider(K8S_AUTH_CLOCK)
    .useValue(clock)
    .overrideProvider(K8S_AUTH_VERIFIER)
    .useFactory({ factory: () => verifier })
    .overrideProvider(RefusalLog)
    .useValue(new RefusalLog({ clock, log }))
    .compile();
  const app = root.createNestApplication(newAdapter(name), { logger: false });
  running.add(app);
  setup.configure?.(app);
  await app.listen(0, '127.0.0.1');
  return { app, log, clock, url: await app.getUrl() };
}

/** What startup says is wrong; none when the application starts. */
export async function startupMistakes(setup: AppSetup): Promise<readonly string[]> {
  try {
    await startApp('express', setup);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.mistakes;
    throw error;
  }
}

export interface Answer {
  readonly status: number | undefined;
  readonly challenge: string | undefined;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/** One request with the `Authorization` headers as given, each on a line of its own, whatever their case. */
export function send(
  url: string,
  authorization: string | string[] = [],
  name = 'Authorization',
): Promise<Answer> {
  const lines = [authorization]
    .flat()
    .flatMap((value, index) => [index === 0 ? name : name.toLowerCase(), value]);
  return new Promise((resolve, reject) => {
    const headers = ['Host', new URL(url).host, 'Connection', 'close', ...lines];
    request(url, { headers: headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode,
          challenge: response.headers['www-authenticate'],
          retryAfter: response.headers['retry-after'],
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    })
      .on('error', reject)
      .end();
  });
}

/** A token with the shape of a JWT, and nothing behind it. */
export function shapedToken(claims: object, header: object = { alg: 'RS256' }): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.c2lnbmF0dXJl`;
}
