import { type INestApplication, type Type } from '@nestjs/common';
import { type AbstractHttpAdapter } from '@nestjs/core';
import { RefusalLog } from '../../src/inbound/request/refusal-log.js';
import { K8S_AUTH_CLOCK } from '../../src/util/clock.js';
import { FakeClock } from '../../testing/fake-clock.js';
import { CapturedLog } from '../captured-log.js';
import { type AppSetup, inboundModule, newAdapter } from '../inbound-app.js';
import { type BenchSetup, type RunningBench, tokenVerifier } from './transport-bench.js';

type Started = Omit<RunningBench, 'call' | 'connect'> & { readonly url: string };

interface Preparation {
  readonly adapter?: AbstractHttpAdapter;
  /** @default tokenVerifier */
  readonly createVerifier?: typeof tokenVerifier;
  /** Runs before the application listens. */
  readonly prepare?: (app: INestApplication) => Promise<unknown>;
}

/** A real application on a loopback socket, with the handlers of a bench and the verifier of all benches. */
export async function startBench(
  { guardIsGlobal = true, longLivedConnections }: BenchSetup,
  setup: Omit<AppSetup, 'controllers'> & { readonly controllers?: Type[] },
  { adapter = newAdapter('express'), createVerifier = tokenVerifier, prepare }: Preparation = {},
): Promise<Started> {
  const [clock, log] = [new FakeClock(), new CapturedLog()];
  const verifier = createVerifier(clock);
  const root = await inboundModule({
    ...setup,
    controllers: setup.controllers ?? [],
    guardIsGlobal,
    verifier,
    ...(longLivedConnections && { longLivedConnections }),
  })
    .overrideProvider(K8S_AUTH_CLOCK)
    .useValue(clock)
    .overrideProvider(RefusalLog)
    .useValue(new RefusalLog({ clock, log }))
    .compile();
  const app = root.createNestApplication(adapter, { logger: false });
  setup.configure?.(app);
  await prepare?.(app);
  await app.listen(0, '127.0.0.1');
  return { app, clock, log, verifier, url: await app.getUrl(), close: () => app.close() };
}
