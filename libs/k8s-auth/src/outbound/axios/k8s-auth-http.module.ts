import { HttpModule, type HttpModuleAsyncOptions, type HttpModuleOptions, HttpService } from '@nestjs/axios';
import {
  type DynamicModule,
  Inject,
  Module,
  type ModuleMetadata,
  type OnModuleInit,
  Optional,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { ConfigurationError } from '../../errors.js';
import { k8sAuthLog } from '../../util/log.js';
import { K8sAuthTokenSource, type TokensByOrigin } from '../k8s-auth-token-source.js';
import { attachK8sAuth } from './attach-k8s-auth.js';
import { findTokenSource, importersWithPlainHttpModule, modulesOf } from './importing-modules.js';

type Imports = Pick<ModuleMetadata, 'imports'>;

/** Injection token of {@link Attached}. */
const ATTACHED = Symbol('K8S_AUTH:ATTACHED');

interface Attached {
  readonly http: HttpService;
  /** Finds the token source once: at startup, or at an earlier request. @throws {ConfigurationError} see {@link findTokenSource} */
  readonly tokenSource: () => Promise<TokensByOrigin>;
}

@Module({})
class AttachedHttpModule {}

/**
 * The `HttpModule` of @nestjs/axios, with an `HttpService` that sends this service's tokens to the destinations of
 * `K8sAuthModule`. For the rules, see {@link attachK8sAuth}. Each registration has its own axios instance. The default
 * instance of axios, which a plain `HttpModule` uses, would also send tokens for unrelated code in the process.
 * @throws {ConfigurationError} at startup: there is no K8sAuthModule, the class was imported without `register`, or modules
 *   that belong to different roots share one registration
 * @publicApi
 */
@Module({
  // `register` and `registerAsync` replace this provider.
  providers: [{ provide: HttpService, useFactory: refuseBareClass }],
  exports: [HttpService],
})
export class K8sAuthHttpModule implements OnModuleInit {
  constructor(
    private readonly moduleRef: ModuleRef,
    @Optional() @Inject(ATTACHED) private readonly attached?: Attached,
  ) {}

  /**
   * @param options defaults of the axios instance, and `imports` for a `K8sAuthModule` that is not global: pass the same
   *   dynamic module object that the feature module imports
   */
  static register({ imports, ...config }: HttpModuleOptions & Imports = {}): DynamicModule {
    // `HttpModule.register` would create the axios instance here. Then two applications that are made from one class, as in
    // tests, would share it, and send the tokens of the first one.
    return withTokens(HttpModule.registerAsync({ global: config.global, useFactory: () => config }), imports);
  }

  /**
   * Like {@link register}, but a factory supplies the defaults of the axios instance.
   * @param options as for `HttpModule.registerAsync`; `imports` may also contain a `K8sAuthModule` that is not global
   */
  static registerAsync(options: HttpModuleAsyncOptions): DynamicModule {
    return withTokens(HttpModule.registerAsync(options), options.imports);
  }

  async onModuleInit(): Promise<void> {
    const source: Partial<K8sAuthTokenSource> | undefined = await this.attached?.tokenSource();
    if (source?.states?.().length === 0) {
      const message =
        'K8sAuthHttpModule attaches no token to any request, because K8sAuthModule has no destinations: set option ' +
        "'destinations' (variable K8S_AUTH_DESTINATIONS)";
      k8sAuthLog.warn({ message });
    }
    for (const { name } of importersWithPlainHttpModule(this, modulesOf(this.moduleRef))) {
      const message =
        'HttpModule is imported beside K8sAuthHttpModule: Nest may inject the HttpService without tokens';
      k8sAuthLog.warn({ message, module: name });
    }
  }
}

/** Attaches in a provider: Nest creates all providers before any `onModuleInit`, so that no request is sent without the interceptor. */
function withTokens(
  { global = false, ...httpModule }: DynamicModule,
  imports: Imports['imports'] = [],
): DynamicModule {
  const attached: DynamicModule = {
    module: AttachedHttpModule,
    imports: [httpModule, ...imports],
    providers: [
      {
        provide: ATTACHED,
        useFactory: attach,
        inject: [HttpService, ModuleRef, { token: K8sAuthTokenSource, optional: true }],
      },
    ],
    exports: [ATTACHED],
  };
  return {
    module: K8sAuthHttpModule,
    global,
    imports: [attached],
    providers: [{ provide: HttpService, useFactory: ({ http }: Attached) => http, inject: [ATTACHED] }],
  };
}

function attach(http: HttpService, moduleRef: ModuleRef, tokenSource: TokensByOrigin | undefined): Attached {
  if (!tokenSource) {
    throw new ConfigurationError([
      'K8sAuthHttpModule needs K8sAuthModule: expected K8sAuthModule.forRoot() in the root module or, where `isGlobal` ' +
        'is false, in the `imports` of K8sAuthHttpModule.register()',
    ]);
  }
  let found: TokensByOrigin | undefined;
  let finding: Promise<TokensByOrigin> | undefined;
  const find = () => {
    finding ??= findTokenSource({ http, tokenSource, moduleRef, modules: modulesOf(moduleRef) }).then(
      (source) => (found = source),
    );
    return finding;
  };
  attachK8sAuth(http.axiosRef, {
    peekToken: (origin) => found?.peekToken?.(origin),
    getToken: async (origin) => (await find()).getToken(origin),
    renewToken: async (origin, rejected) => (await find()).renewToken?.(origin, rejected),
    noteUnauthorized: (origin) => found?.noteUnauthorized?.(origin),
  });
  return { http, tokenSource: find };
}

function refuseBareClass(): never {
  throw new ConfigurationError([
    'K8sAuthHttpModule: expected K8sAuthHttpModule.register() in `imports`, not only the class',
  ]);
}
