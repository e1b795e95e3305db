import { Controller, Get, type INestApplication, type LoggerService } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ScriptedVerifier } from '../../test-support/scripted-verifier.js';
import { send } from '../../test-support/inbound-app.js';
import { K8S_AUTH_VERIFIER } from '../inbound/inbound.constants.js';
import { K8sAuth, K8sAuthModule } from '../index.js';
import { k8sAuthLog } from './log.js';

@Controller()
class OrdersController {
  @Get() @K8sAuth('orders') list() {}
  @Get('plain') plain() {}
}

const failing = (): never => {
  throw new Error('disk is full');
};
const LOGGERS: [string, () => unknown][] = [
  ['throws', failing],
  ['rejects', () => Promise.reject(new Error('disk is full'))],
  [
    'returns a promise of a foreign library that rejects',
    () => ({ then: (_: unknown, reject: (reason: Error) => void) => reject(new Error('disk is full')) }),
  ],
];

let app: INestApplication | undefined;
afterEach(() => app?.close());

describe.each(LOGGERS)("a user's logger that %s", (_, say) => {
  it('changes no answer', async () => {
    const verifier = {
      kind: 'jwt-pubkey',
      issuer: 'https://issuer.test',
      publicKeyFiles: ['/unused'],
    } as const;
    const testing = await Test.createTestingModule({
      imports: [K8sAuthModule.forRoot({ verifier })],
      controllers: [OrdersController],
    })
      .overrideProvider(K8S_AUTH_VERIFIER)
      .useValue(new ScriptedVerifier())
      .compile();
    app = testing.createNestApplication();
    // Nest's own lines stay out of it: only what we say is lost.
    const warn = (_event: unknown, context?: string) => (context === 'K8sAuth' ? say() : undefined);
    app.useLogger({ log: () => undefined, error: warn, warn } satisfies LoggerService);
    await app.listen(0, '127.0.0.1');
    expect((await send(await app.getUrl())).status).toBe(401);
  });

  it('does not make the logging code fail', () => {
    for (const level of ['log', 'warn', 'error'] as const)
      expect(() => k8sAuthLog[level]({ message: 'a line' })).not.toThrow();
  });
});
