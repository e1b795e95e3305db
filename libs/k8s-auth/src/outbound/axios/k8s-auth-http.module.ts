import { HttpModule, type HttpModuleAsyncOptions, type HttpModuleOptions, HttpService } from '@nestjs/axios';
import { type DynamicModule, Module, type ModuleMetadata } from '@nestjs/common';
import { K8sAuthTokenSource } from '../k8s-auth-token-source.js';
import { attachK8sAuth } from './attach-k8s-auth.js';

const ATTACHED = Symbol('K8S_AUTH:ATTACHED');

/**
 * `HttpModule` of @nestjs/axios whose `HttpService` sends this service's tokens to the destinations of `K8sAuthModule`,
 * as {@link attachK8sAuth} says. Each registration has an axios instance of its own: the process-wide default, which a
 * bare `HttpModule` gives, would carry tokens into code that knows nothing of them.
 * @publicApi
 */
@Module({})
export class K8sAuthHttpModule {
  /** @param config defaults of the axios instance */
  static register(config: HttpModuleOptions = {}): DynamicModule {
    return withTokens(HttpModule.register(config));
  }

  static registerAsync(options: HttpModuleAsyncOptions): DynamicModule {
    return withTokens(HttpModule.registerAsync(options), options.imports);
  }
}

/** Providers are made before any module's `onModuleInit`, so no request is sent before the interceptor is there. */
function withTokens(httpModule: DynamicModule, imports: ModuleMetadata['imports'] = []): DynamicModule {
  return {
    module: K8sAuthHttpModule,
    imports: [httpModule, ...imports],
    providers: [
      {
        provide: ATTACHED,
        useFactory: (http: HttpService, tokenSource: K8sAuthTokenSource) =>
          attachK8sAuth(http.axiosRef, tokenSource),
        inject: [HttpService, K8sAuthTokenSource],
      },
    ],
    exports: [HttpModule],
  };
}
