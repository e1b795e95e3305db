import { type HttpModuleAsyncOptions, type HttpModuleOptions, type HttpService } from '@nestjs/axios';
import {
  type DynamicModule,
  Inject,
  Module,
  type ModuleMetadata,
  type OnModuleInit,
  Optional,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { randomUUID } from 'node:crypto';
import { ConfigurationError } from '../../errors.js';
import { k8sAuthLog } from '../../util/log.js';
import { importOptional } from '../../util/optional-package.js';
import { K8sAuthTokenSource, type TokensByOrigin } from '../k8s-auth-token-source.js';
import { attachK8sAuth } from './attach-k8s-auth.js';
import {
  findTokenSource,
  importersWithPlainHttpModule,
  modulesOf,
  type NestAxios,
} from './importing-modules.js';

type Imports = Pick<ModuleMetadata, 'imports'>;

/** Injection token of {@link Attached}. */
const ATTACHED = Symbol('K8S_AUTH:ATTACHED');
/** Injection token of the `HttpService` that HttpModule creates. */
const CREATED = Symbol('K8S_AUTH:CREATED');
/** Injection token of a text that differs for each registration: Nest may compare modules by their texts. */
const REGISTRATION = Symbol('K8S_AUTH:REGISTRATION');

interface Attached {
  readonly http: HttpService;
  /** Finds the token source once: at startup, or at an earlier request. @throws {ConfigurationError} see {@link findTokenSource} */
  readonly tokenSource: () => Promise<TokensByOrigin>;
}

/** What `register` can only create after the import of @nestjs/axios. */
@Module({})
class AttachedHttpModule {}

/**
 * The `HttpModule` of @nestjs/axios, with an `HttpService` that sends this service's tokens to the destinations of
 * `K8sAuthModule`. For the rules, see {@link attachK8sAuth}. Each registration has its own axios instance. The default
 * instance of axios, which a plain `HttpModule` uses, would also send tokens for unrelated code in the process.
 *
 * Needs the packages @nestjs/axios and axios, which only services that use this module have to install.
 * @throws {ConfigurationError} at startup: there is no K8sAuthModule, the class was imported without `register`, modules that
 *   belong to different roots share one registration, or @nestjs/axios is not installed
 * @publicApi
 */
@Module({
  // `register` and `registerAsync` replace this provider. It has no dependencies, so Nest creates it before it looks for an
  // HttpService.
  providers: [{ provide: REGISTRATION, useFactory: refuseBareClass }],
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
    return withTokens({ global: config.global, imports, useFactory: () => config }, []);
  }

  /**
   * Like {@link register}, but a factory supplies the defaults of the axios instance.
   * @param options as for `HttpModule.registerAsync`; `imports` may also contain a `K8sAuthModule` that is not global
   */
  static registerAsync(options: HttpModuleAsyncOptions): DynamicModule {
    return withTokens(options, options.imports);
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

function withTokens(options: HttpModuleAsyncOptions, httpImports: Imports['imports']): DynamicModule {
  const attached = createAttachedModule(options, httpImports);
  // Nest waits for it and reports the error, but only when it reads the `imports`.
  attached.catch(() => {});
  return {
    module: K8sAuthHttpModule,
    global: options.global,
    imports: [attached],
    providers: [{ provide: REGISTRATION, useValue: randomUUID() }],
    // Exports the HttpService too, whose class is not known yet.
    exports: [AttachedHttpModule],
  };
}

/**
 * Attaches in a provider: Nest creates all providers before any `onModuleInit`, so that no request is sent without the
 * interceptor.
 * @throws {ConfigurationError} @nestjs/axios is not installed
 */
async function createAttachedModule(
  { imports = [], ...options }: HttpModuleAsyncOptions,
  httpImports: Imports['imports'],
): Promise<DynamicModule> {
  const nestAxios = await importOptional('@nestjs/axios', 'K8sAuthHttpModule', () => import('@nestjs/axios'));
  const { HttpModule, HttpService } = nestAxios;
  const created = HttpModule.registerAsync({ ...options, global: false, imports: httpImports });
  const createdProvider = { provide: CREATED, useExisting: HttpService };
  return {
    module: AttachedHttpModule,
    imports: [
      { ...created, providers: [...(created.providers ?? []), createdProvider], exports: [CREATED] },
      ...imports,
    ],
    providers: [
      {
        provide: ATTACHED,
        useFactory: (http: HttpService, moduleRef: ModuleRef, tokenSource: TokensByOrigin | undefined) =>
          attach(nestAxios, http, moduleRef, tokenSource),
        inject: [CREATED, ModuleRef, { token: K8sAuthTokenSource, optional: true }],
      },
      { provide: HttpService, useFactory: ({ http }: Attached) => http, inject: [ATTACHED] },
    ],
    exports: [ATTACHED, HttpService],
  };
}

function attach(
  nestAxios: NestAxios,
  http: HttpService,
  moduleRef: ModuleRef,
  tokenSource: TokensByOrigin | undefined,
): Attached {
  if (!tokenSource) {
    throw new ConfigurationError([
      'K8sAuthHttpModule needs K8sAuthModule: expected K8sAuthModule.forRoot() in the root module or, where `isGlobal` ' +
        'is false, in the `imports` of K8sAuthHttpModule.register()',
    ]);
  }
  let found: TokensByOrigin | undefined;
  let finding: Promise<TokensByOrigin> | undefined;
  const find = () => {
    finding ??= findTokenSource({
      nestAxios,
      http,
      tokenSource,
      moduleRef,
      modules: modulesOf(moduleRef),
    }).then((source) => (found = source));
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
