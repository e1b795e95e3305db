import { HttpModule, type HttpModuleAsyncOptions, type HttpModuleOptions, HttpService } from '@nestjs/axios';
import { type DynamicModule, Module, type ModuleMetadata, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { ConfigurationError } from '../../errors/index.js';
import { k8sAuthLog } from '../../k8s-auth.log.js';
import { K8sAuthTokenSource } from '../k8s-auth-token-source.js';
import { attachK8sAuth } from './attach-k8s-auth.js';
import { importsPlainHttpModule } from './plain-http-module.js';

type Imports = Pick<ModuleMetadata, 'imports'>;

/** The `HttpService` whose axios instance is attached. */
const ATTACHED = Symbol('K8S_AUTH:ATTACHED');

@Module({})
class AttachedHttpModule {}

/**
 * `HttpModule` of @nestjs/axios whose `HttpService` sends this service's tokens to the destinations of `K8sAuthModule`,
 * as {@link attachK8sAuth} says. Each registration has an axios instance of its own: the process-wide default, which a
 * bare `HttpModule` gives, would carry tokens into code that knows nothing of them.
 * @throws {ConfigurationError} at startup: there is no K8sAuthModule, or the class was imported without `register`
 * @publicApi
 */
@Module({
  // `register` and `registerAsync` put another in its place.
  providers: [{ provide: HttpService, useFactory: refuseBareClass }],
  exports: [HttpService],
})
export class K8sAuthHttpModule implements OnModuleInit {
  constructor(private readonly modules: ModulesContainer) {}

  /**
   * @param options defaults of the axios instance; and `imports`, for a `K8sAuthModule` that is not global: hand over
   *   the same object that the feature module imports
   */
  static register({ imports, ...config }: HttpModuleOptions & Imports = {}): DynamicModule {
    return withTokens(HttpModule.register(config), imports);
  }

  /** @param options as for `HttpModule`; `imports` may hold a `K8sAuthModule` too */
  static registerAsync(options: HttpModuleAsyncOptions): DynamicModule {
    return withTokens(HttpModule.registerAsync(options), options.imports);
  }

  onModuleInit(): void {
    const self = [...this.modules.values()].find(({ instance }) => Object.is(instance, this));
    for (const module of this.modules.values()) {
      if (!self || !module.imports.has(self) || !importsPlainHttpModule(module)) continue;
      k8sAuthLog.warn({
        message:
          'HttpModule is imported beside K8sAuthHttpModule: the HttpService may be the one without tokens',
        module: module.name,
      });
    }
  }
}

/** Providers are made before any module's `onModuleInit`, so no request is sent before the interceptor is there. */
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
        inject: [HttpService, { token: K8sAuthTokenSource, optional: true }],
      },
    ],
    exports: [ATTACHED],
  };
  return {
    module: K8sAuthHttpModule,
    global,
    imports: [attached],
    providers: [{ provide: HttpService, useExisting: ATTACHED }],
  };
}

function attach(http: HttpService, tokenSource: K8sAuthTokenSource | undefined): HttpService {
  if (!tokenSource) {
    throw new ConfigurationError([
      'K8sAuthHttpModule needs K8sAuthModule: expected K8sAuthModule.forRoot() in the root module or, where `isGlobal` ' +
        'is false, in the `imports` of K8sAuthHttpModule.register()',
    ]);
  }
  attachK8sAuth(http.axiosRef, tokenSource);
  return http;
}

function refuseBareClass(): never {
  throw new ConfigurationError([
    'K8sAuthHttpModule: expected K8sAuthHttpModule.register() in `imports`, not the class alone',
  ]);
}
