import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  type DynamicModule,
  Get,
  type INestApplication,
  type ModuleMetadata,
  type Provider,
  SetMetadata,
} from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { APP_GUARD } from '@nestjs/core';
import { Test, type TestingModule, type TestingModuleBuilder } from '@nestjs/testing';
import { K8sAuth, K8sAuthGuard, K8sAuthModule } from '../../index.js';
import { inboundModule } from '../../../test-support/inbound-app.js';
import { ScriptedVerifier } from '../../../test-support/scripted-verifier.js';
import { K8S_AUTH_VERIFIER } from '../inbound.constants.js';

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

// A user's test may omit the module, or import the real module and override the parts that are not available.
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
    expect(await statusesOf(testing)).toEqual([200, 200]);
  });
});

async function statusesOf(testing: TestingModule): Promise<number[]> {
  const app: INestApplication = testing.createNestApplication();
  try {
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    const answers = ['method', 'class'].map(async (path) => (await fetch(`${url}/${path}`)).status);
    return await Promise.all(answers);
  } finally {
    await app.close();
  }
}

describe('with K8sAuthModule', () => {
  const lenient = { canActivate: () => true };

  /** Builds an application, and collects the warnings of startup. */
  function build(metadata: ModuleMetadata, override = (builder: TestingModuleBuilder) => builder) {
    const warnings: unknown[] = [];
    const builder = inboundModule({
      ...metadata,
      controllers: [MethodController, ClassController],
    }).setLogger({
      log: () => undefined,
      error: () => undefined,
      warn: (event) => void warnings.push(event),
    });
    return { testing: override(builder).compile(), warnings };
  }

  it.each<[string, ModuleMetadata]>([
    ['of the same module', { providers: [{ provide: K8sAuthGuard, useValue: lenient }] }],
    ['of another module', { imports: [module({ provide: K8sAuthGuard, useValue: lenient })] }],
    [
      'of another module, exported globally',
      {
        imports: [
          { ...module({ provide: K8sAuthGuard, useValue: lenient }), global: true, exports: [K8sAuthGuard] },
        ],
      },
    ],
    [
      'that APP_GUARD uses',
      {
        providers: [
          { provide: K8sAuthGuard, useFactory: () => lenient },
          { provide: APP_GUARD, useExisting: K8sAuthGuard },
        ],
      },
    ],
  ])('a provider with K8sAuthGuard as its token does not open a route: one %s', async (_, metadata) => {
    const { testing, warnings } = build(metadata);
    expect(await statusesOf(await testing)).toEqual([401, 401]);
    expect(warnings).toMatchObject(Array(2).fill({ code: 'ERR_K8S_AUTH_TOKEN_MISSING' }));
  });

  it('startup warns that the guard is overridden', async () => {
    const { testing, warnings } = build({}, (builder) =>
      builder.overrideGuard(K8sAuthGuard).useValue(lenient),
    );
    expect(await statusesOf(await testing)).toEqual([200, 200]);
    expect(warnings).toEqual([{ message: expect.stringContaining('a test overrides K8sAuthGuard') }]);
  });

  it('a provider with K8sAuthGuard as its token does not open a route whose guards are removed', async () => {
    @Controller()
    class Stripped {
      @Get('method') @SetMetadata(GUARDS_METADATA, []) @K8sAuth('orders') method() {}
    }
    const testing = await Test.createTestingModule({
      imports: [K8sAuthModule.forRoot({ verifier })],
      controllers: [Stripped],
      providers: [{ provide: K8sAuthGuard, useValue: lenient }],
    })
      .overrideProvider(K8S_AUTH_VERIFIER)
      .useValue(new ScriptedVerifier())
      .compile();
    await expect(testing.createNestApplication({ logger: false }).init()).rejects.toThrow('Stripped.method');
  });
});

function module(provider: Provider): DynamicModule {
  class OtherModule {}
  return { module: OtherModule, providers: [provider] };
}
