import { describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { K8sAuth, K8sAuthGuard, K8sAuthModule } from '../../index.js';
import { ScriptedVerifier } from '../inbound-app.fixture.js';
import { K8S_AUTH_VERIFIER } from '../inbound-root.js';

@Controller()
class MethodController {
  @Get('method')
  @K8sAuth('orders')
  method(): string {
    return 'ok';
  }
}

@Controller()
@K8sAuth('orders')
class ClassController {
  @Get('class')
  class(): string {
    return 'ok';
  }
}

const verifier = { kind: 'jwt-pubkey', issuer: 'https://issuer.test', publicKeyFiles: ['/unused'] } as const;

// A test of a user may do without the module, or import the real one and override what it cannot have.
describe.each([
  ['without K8sAuthModule', []],
  ['with K8sAuthModule', [K8sAuthModule.forRoot({ verifier })]],
])('a test %s', (_, imports) => {
  it('can override the guard', async () => {
    const testing = await Test.createTestingModule({
      imports,
      controllers: [MethodController, ClassController],
    })
      .overrideProvider(K8S_AUTH_VERIFIER)
      .useValue(new ScriptedVerifier())
      .overrideGuard(K8sAuthGuard)
      .useValue({ canActivate: () => true })
      .compile();
    const app: INestApplication = testing.createNestApplication({ logger: false });
    try {
      await app.listen(0, '127.0.0.1');
      const url = await app.getUrl();
      for (const path of ['method', 'class']) expect((await fetch(`${url}/${path}`)).status).toBe(200);
    } finally {
      await app.close();
    }
  });
});
