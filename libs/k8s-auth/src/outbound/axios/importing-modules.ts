import type * as nestAxios from '@nestjs/axios';
import { type HttpService } from '@nestjs/axios';
import { Inject, Optional, type Type } from '@nestjs/common';
import {
  PARAMTYPES_METADATA,
  PROPERTY_DEPS_METADATA,
  SELF_DECLARED_DEPS_METADATA,
} from '@nestjs/common/constants.js';
import { ApplicationConfig, ModuleRef, type ModulesContainer, type NestContainer } from '@nestjs/core';
import { type Module } from '@nestjs/core/injector/module.js';
import { type AxiosInstance } from 'axios';
import { ConfigurationError } from '../../errors.js';
import { type Log } from '../../util/log.js';
import { K8sAuthTokenSource, type TokensByOrigin } from '../k8s-auth-token-source.js';
import { isAttached } from './attach-k8s-auth.js';

/** The package @nestjs/axios, which `K8sAuthHttpModule` imports when it is registered. */
export type NestAxios = typeof nestAxios;

/** One registration of `K8sAuthHttpModule`, which needs a token source. */
export interface Registration {
  readonly nestAxios: NestAxios;
  readonly http: HttpService;
  /** The token source that Nest injects into the registration: from the `imports` of `register`, or from the global root. */
  readonly tokenSource: TokensByOrigin;
  /** The ModuleRef of the inner module of the registration. */
  readonly moduleRef: ModuleRef;
  readonly modules: ModulesContainer;
}

type Dependency = { readonly token?: unknown; readonly param?: unknown; readonly type?: unknown } | undefined;

const DEPENDENCY_KEYS = [PARAMTYPES_METADATA, SELF_DECLARED_DEPS_METADATA, PROPERTY_DEPS_METADATA];

interface Probe {
  readonly http?: HttpService;
  readonly tokenSource?: TokensByOrigin;
}

/** A class that shows what Nest injects into a module: a provider that the module imports, or else one of a global module. */
function probeClass({ HttpService }: NestAxios): Type<Probe> {
  class HttpProbe implements Probe {
    constructor(
      @Optional() @Inject(HttpService) readonly http?: HttpService,
      @Optional() @Inject(K8sAuthTokenSource) readonly tokenSource?: TokensByOrigin,
    ) {}
  }
  return HttpProbe;
}

/**
 * The token source for a registration: that of the `K8sAuthModule` that serves the modules which use the registration, as
 * it also serves their routes. A `K8sAuthModule` in the `imports` of `register` overrides it.
 * @throws {ConfigurationError} the modules belong to different `K8sAuthModule`s; the message names the modules
 * @internal
 */
export async function findTokenSource(registration: Registration): Promise<TokensByOrigin> {
  const { nestAxios, http, tokenSource, moduleRef, modules } = registration;
  const probe = (module: Module) => createIn(module, probeClass(nestAxios));
  const inner = [...modules.values()].find(
    ({ providers }) => providers.get(ModuleRef)?.instance === moduleRef,
  );
  const outer = [...modules.values()].find(({ imports }) => inner && imports.has(inner));
  // If `register` has no `imports`, the inner module and the module around it both see only the global root.
  if (!outer || (await probe(outer))?.tokenSource !== tokenSource) return tokenSource;
  const namesBySource = new Map<TokensByOrigin, string[]>();
  for (const module of usersOf(outer, modules, nestAxios.HttpService)) {
    const seen = await probe(module);
    if (seen?.http !== http || !seen.tokenSource) continue;
    namesBySource.set(seen.tokenSource, [...(namesBySource.get(seen.tokenSource) ?? []), module.name]);
  }
  if (namesBySource.size > 1) {
    const groups = [...namesBySource.values()].map((names) => names.join(', ')).join(' / ');
    throw new ConfigurationError([
      'K8sAuthHttpModule: expected the modules that share one registration to belong to one K8sAuthModule, ' +
        `got ${groups}: give each group a K8sAuthHttpModule.register() of its own`,
    ]);
  }
  const [only = tokenSource] = namesBySource.keys();
  return only;
}

/**
 * All modules of the application, read from Nest's container. The `ModulesContainer` that Nest injects may be a Proxy, made by
 * the option `instrument.instanceDecorator`, and the methods of a `Map` do not work on a Proxy.
 * @internal
 */
export function modulesOf(moduleRef: ModuleRef): ModulesContainer {
  return (moduleRef as unknown as { readonly container: NestContainer }).container.getModules();
}

/** The modules that import a plain `HttpModule` beside the given module. A global `HttpModule` is ignored, because Nest prefers imports. */
export function importersWithPlainHttpModule(self: object, modules: ModulesContainer): Module[] {
  const registration = [...modules.values()].find(({ instance }) => Object.is(instance, self));
  if (!registration || registration.isGlobal) return [];
  return importersOf(registration, modules).filter(({ imports }) =>
    [...imports].some((imported) => !imported.isGlobal && isOrExportsHttpModule(imported, new Set())),
  );
}

const warned = new WeakSet<ModulesContainer>();

/**
 * Warns once if an application has destinations and uses `HttpModule`, but no `HttpService` is attached. The user may
 * have meant `K8sAuthHttpModule`.
 * @internal
 */
export function warnAboutUnattachedHttpModule(modules: ModulesContainer, log: Log): void {
  const plain = [...modules.values()].filter(isHttpModule);
  if (plain.length === 0 || plain.flatMap(axiosInstancesOf).some(isAttached)) return;
  if (warned.has(modules)) return;
  warned.add(modules);
  const names = plain.flatMap((module) => importersOf(module, modules)).map(({ name }) => name);
  const message =
    'no token is attached to requests of HttpModule: import K8sAuthHttpModule.register() instead, or use attachK8sAuth';
  log.warn({ message, modules: [...new Set(names)] });
}

async function createIn<T>({ providers }: Module, aClass: Type<T>): Promise<T | undefined> {
  try {
    return await (providers.get(ModuleRef)?.instance as ModuleRef | undefined)?.create<T>(aClass);
  } catch {
    return undefined;
  }
}

/** The modules that Nest may inject the exports of a module into. */
function usersOf(
  module: Module,
  modules: ModulesContainer,
  httpService: unknown,
  seen = new Set<Module>(),
): Set<Module> {
  // All modules see a global module, so only those that inject HttpService count.
  if (module.isGlobal) return new Set([...modules.values()].filter((one) => injects(one, httpService)));
  const users = new Set<Module>();
  for (const importer of importersOf(module, modules)) {
    if (seen.has(importer)) continue;
    seen.add(importer);
    const isExportedAgain = importer.exports.has(module.metatype);
    if (!isExportedAgain || hasCode(importer)) users.add(importer);
    if (isExportedAgain) usersOf(importer, modules, httpService, seen).forEach((user) => users.add(user));
  }
  return users;
}

function importersOf(module: Module, modules: ModulesContainer): Module[] {
  return [...modules.values()].filter(({ imports }) => imports.has(module));
}

/** Whether a module has its own providers or controllers, and does not only import and export other modules. */
function hasCode({ metatype, providers, controllers, injectables }: Module): boolean {
  const nestTokens: unknown[] = [metatype, ModuleRef, ApplicationConfig];
  const hasProviders = [...providers.keys()].some((token) => !nestTokens.includes(token));
  return hasProviders || metatype.length > 0 || controllers.size + injectables.size > 0;
}

function injects({ providers, controllers, injectables }: Module, token: unknown): boolean {
  const wrappers = [...providers.values(), ...controllers.values(), ...injectables.values()];
  return wrappers.some(({ inject, metatype }) => {
    if (typeof metatype !== 'function') return false;
    const read = (key: string) => (Reflect.getMetadata(key, metatype) ?? []) as Dependency[];
    // A factory lists its dependencies itself. For a class, decorators store them as metadata, by index or by name.
    const declared = (inject as Dependency[] | undefined) ?? DEPENDENCY_KEYS.flatMap(read);
    return declared.some((one) => [one, one?.token, one?.param, one?.type].includes(token));
  });
}

/** Whether a module is `HttpModule`, of any copy of @nestjs/axios. Found by its name, because the package is not imported here. */
function isHttpModule(module: Module): boolean {
  return module.metatype.name === 'HttpModule' && axiosInstancesOf(module).length > 0;
}

function axiosInstancesOf({ providers }: Module): AxiosInstance[] {
  const instances = [...providers.values()].map(
    ({ instance }) => instance as Partial<HttpService> | undefined,
  );
  return instances.flatMap((instance) => instance?.axiosRef ?? []);
}

function isOrExportsHttpModule(module: Module, seen: Set<Module>): boolean {
  if (isHttpModule(module)) return true;
  if (seen.has(module)) return false;
  seen.add(module);
  return [...module.imports].some(
    (imported) => module.exports.has(imported.metatype) && isOrExportsHttpModule(imported, seen),
  );
}
