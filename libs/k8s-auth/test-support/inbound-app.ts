import { request } from 'node:http';
import { type INestApplication, type ModuleMetadata, type Type } from '@nestjs/common';
import { type AbstractHttpAdapter, APP_GUARD } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { type K8sAuthOptions } from '../src/config/options.js';
import { ConfigurationError } from '../src/errors.js';
import { K8S_AUTH_VERIFIER } from '../src/inbound/inbound.constants.js';
import { K8sAuthGuard } from '../src/inbound/request/k8s-auth.guard.js';
import { RefusalLog } from '../src/inbound/request/refusal-log.js';
import { K8sAuthModule } from '../src/k8s-auth.module.js';
import { K8S_AUTH_CLOCK } from '../src/util/clock.js';
import { type Verifier } from '../src/verifiers/verifier.js';
import { FakeClock } from '../testing/fake-clock.js';
import { CapturedLog } from './captured-log.js';
import { ScriptedVerifier } from './scripted-verifier.js';

/** The HTTP adapters of Nest: every behaviour of inbound/ is tested with each. */
export const ADAPTERS = ['express', 'fastify'] as const;
export type AdapterName = (typeof ADAPTERS)[number];

export function newAdapter(name: AdapterName): AbstractHttpAdapter {
  return name === 'express' ? new ExpressAdapter() : new FastifyAdapter();
}

export interface InboundSetup extends ModuleMetadata {
  readonly controllers: Type[];
  /** @default a {@link ScriptedVerifier} that accepts every token as shop/checkout */
  readonly verifier?: Verifier;
  readonly noVerifier?: true;
  readonly audience?: string | readonly string[];
  readonly maxTokenBytes?: number;
  readonly publicControllers?: K8sAuthOptions['publicControllers'];
  readonly enforce?: boolean;
  readonly guardIsGlobal?: boolean;
  readonly longLivedConnections?: K8sAuthOptions['longLivedConnections'];
  readonly events?: K8sAuthOptions['events'];
  readonly auditLog?: boolean;
}

export interface AppSetup extends InboundSetup {
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

/** A testing module with K8sAuthModule as its users import it. Only the verifier that it would create is replaced. */
export function inboundModule(setup: InboundSetup): TestingModuleBuilder {
  const { imports = [], controllers, providers = [], audience, maxTokenBytes } = setup;
  const { publicControllers, enforce, longLivedConnections, events, auditLog } = setup;
  const verifier = setup.noVerifier ? undefined : (setup.verifier ?? new ScriptedVerifier());
  return Test.createTestingModule({
    imports: [
      // First, so that their hooks run before ours.
      ...imports,
      K8sAuthModule.forRoot({
        ...(setup.noVerifier ? { destinations: [] } : { verifier: OVERRIDDEN }),
        ...(audience !== undefined && { audience }),
        ...(maxTokenBytes !== undefined && { maxTokenBytes }),
        ...(publicControllers !== undefined && { publicControllers }),
        ...(longLivedConnections !== undefined && { longLivedConnections }),
        ...(enforce !== undefined && { enforce }),
        ...(events !== undefined && { events }),
        ...(auditLog !== undefined && { auditLog }),
      }),
    ],
    controllers,
    providers: [
      ...(setup.guardIsGlobal ? [{ provide: APP_GUARD, useExisting: K8sAuthGuard }] : []),
      ...providers,
    ],
  })
    .overrideProvider(K8S_AUTH_VERIFIER)
    .useFactory({ factory: () => verifier });
}

const running = new Set<INestApplication>();

/** For afterEach or afterAll, so that a test that failed half-way leaves no socket open. */
export async function closeApps(): Promise<void> {
  for (const app of running) await app.close();
  running.clear();
}

/** A real application on a loopback socket, see {@link inboundModule}, with a clock and a log of its own. */
export async function startApp(name: AdapterName, setup: AppSetup): Promise<RunningApp> {
  const log = new CapturedLog();
  const clock = new FakeClock();
  const root = await inboundModule(setup)
    .overrideProvider(K8S_AUTH_CLOCK)
    .useValue(clock)
    .overrideProvider(RefusalLog)
    .useValue(new RefusalLog({ clock, log }))
    .compile();
  const app = root.createNestApplication(newAdapter(name), { logger: false });
  running.add(app);
  setup.configure?.(app);
  await app.listen(0, '127.0.0.1');
  return { app, log, clock, url: await app.getUrl() };
}

/** The mistakes that startup reports. Empty when the application starts. */
export async function startupMistakes(setup: AppSetup): Promise<readonly string[]> {
  try {
    await startApp('express', setup);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.mistakes;
    throw error;
  }
}

/** A response as it arrived. */
export interface ReceivedResponse {
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
): Promise<ReceivedResponse> {
  const lines = [authorization]
    .flat()
    .flatMap((value, index) => [index === 0 ? name : name.toLowerCase(), value]);
  return new Promise((resolve, reject) => {
    const headers = ['Host', new URL(url).host, 'Connection', 'close', ...lines];
    request(url, { headers }, (response) => {
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

/** A token with the shape of a JWT, signed by nobody. */
export function shapedToken(claims: object, header: object = { alg: 'RS256' }): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part(header)}.${part(claims)}.c2lnbmF0dXJl`;
}
