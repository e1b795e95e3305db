import { type INestApplication, type Type } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { type Clock, K8S_AUTH_CLOCK } from 'nest-k8s-auth';
import { type CapturedLog } from './captured-log.js';

/** The HTTP servers that Nest runs on; every integration suite runs on both. */
export const ADAPTERS = ['express', 'fastify'] as const;
export type Adapter = (typeof ADAPTERS)[number];

/** Isolates the tests from the variables of the user's shell. */
const NOT_INHERITED = /^(K8S_AUTH_|KUBECONFIG$|KUBERNETES_SERVICE_|SERVICE2_|TARGET_URL$|INTERVAL_MS$|HOME$)/;

export interface RunningApp {
  readonly app: INestApplication;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
}

export interface StartOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly adapter: Adapter;
  readonly clock: Clock;
  /** One for both applications: Nest has one logger per process. */
  readonly log: CapturedLog;
}

/** The unchanged apps/service2 on a real socket, with a clock that the test controls. */
export function startService2(options: StartOptions): Promise<RunningApp> {
  return start(() => import('../../../apps/service2/src/app.module.js'), options);
}

/** The unchanged apps/service1. */
export function startService1(options: StartOptions): Promise<RunningApp> {
  return start(() => import('../../../apps/service1/src/app.module.js'), options);
}

async function start(
  load: () => Promise<{ AppModule: Type }>,
  { environment, adapter, clock, log }: StartOptions,
): Promise<RunningApp> {
  const before = { ...process.env };
  const inherited = Object.entries(before).filter(([name]) => !NOT_INHERITED.test(name));
  process.env = { ...Object.fromEntries(inherited), ...environment };
  try {
    const { AppModule } = await load();
    const testing = await Test.createTestingModule({ imports: [AppModule] })
      .setLogger(log)
      .overrideProvider(K8S_AUTH_CLOCK)
      .useValue(clock)
      .compile();
    const app = testing.createNestApplication(
      adapter === 'express' ? new ExpressAdapter() : new FastifyAdapter(),
      {
        logger: log,
      },
    );
    await app.listen(0, '127.0.0.1');
    return { app, url: (await app.getUrl()).replace('[::1]', '127.0.0.1') };
  } finally {
    process.env = before;
  }
}
