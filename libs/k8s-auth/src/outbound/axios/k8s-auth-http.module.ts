import { HttpModule, type HttpModuleAsyncOptions, type HttpModuleOptions, HttpService } from '@nestjs/axios';
import {
  type DynamicModule,
  Inject,
  Module,
  type ModuleMetadata,
  type OnModuleInit,
  Optional,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { ConfigurationError } from '../../errors.js';
import { k8sAuthLog } from '../../util/k8s-auth.log.js';
import { K8sAuthTokenSource, type TokensByOrigin } from '../k8s-auth-token-source.js';
import { attachK8sAuth } from './attach-k8s-auth.js';
import { importersOf, importsPlainHttpModule, moduleOf, ownTokenSourceOf } from './importing-modules.js';

type Imports = Pick<ModuleMetadata, 'imports'>;

/** Injection token of {@link Attached}. */
const ATTACHED = Symbol('K8S_AUTH:ATTACHED');

interface Attached {
  readonly http: HttpService;
  /** Asked at each request. */
  tokenSource: () => TokensByOrigin;
}

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
  constructor(
    private readonly modules: ModulesContainer,
    @Optional() @Inject(ATTACHED) attached?: Attached,
  ) {
    if (!attached) return;
    const { tokenSource } = attached;
    attached.tokenSource = () => this.importedTokenSource() ?? tokenSource();
  }

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
    const self = moduleOf(this, this.modules);
    for (const { name } of importersOf(self, this.modules).filter(importsPlainHttpModule)) {
      const message =
        'HttpModule is imported beside K8sAuthHttpModule: HttpService may be the one without tokens';
      k8sAuthLog.warn({ message, module: name });
    }
  }

  /**
   * The `imports` of `register` decide. Without them Nest injects what a global K8sAuthModule offers, but one that the
   * importing module imports itself goes before it, as for everything else in that module.
   */
  private importedTokenSource(): TokensByOrigin | undefined {
    const self = moduleOf(this, this.modules);
    if (!self || [...self.imports].some((imported) => ownTokenSourceOf(imported))) return undefined;
    return importersOf(self, this.modules)
      .map(ownTokenSourceOf)
      .find((source) => source !== undefined);
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
    providers: [{ provide: HttpService, useFactory: ({ http }: Attached) => http, inject: [ATTACHED] }],
  };
}

function attach(http: HttpService, tokenSource: TokensByOrigin | undefined): Attached {
  if (!tokenSource) {
    throw new ConfigurationError([
      'K8sAuthHttpModule needs K8sAuthModule: expected K8sAuthModule.forRoot() in the root module or, where `isGlobal` ' +
        'is false, in the `imports` of K8sAuthHttpModule.register()',
    ]);
  }
  const attached: Attached = { http, tokenSource: () => tokenSource };
  attachK8sAuth(http.axiosRef, {
    peekToken: (origin) => attached.tokenSource().peekToken?.(origin),
    getToken: (origin) => attached.tokenSource().getToken(origin),
    renewToken: async (origin, rejected) => attached.tokenSource().renewToken?.(origin, rejected),
  });
  return attached;
}

function refuseBareClass(): never {
  throw new ConfigurationError([
    'K8sAuthHttpModule: expected K8sAuthHttpModule.register() in `imports`, not the class alone',
  ]);
}
