import { HttpModule, HttpService } from '@nestjs/axios';
import { Inject, Optional } from '@nestjs/common';
import {
  PARAMTYPES_METADATA,
  PROPERTY_DEPS_METADATA,
  SELF_DECLARED_DEPS_METADATA,
} from '@nestjs/common/constants.js';
import { ApplicationConfig, ModuleRef, type ModulesContainer, type NestContainer } from '@nestjs/core';
import { type Module } from '@nestjs/core/injector/module.js';
import { ConfigurationError } from '../../errors.js';
import { type Log } from '../../util/log.js';
import { K8sAuthTokenSource, type TokensByOrigin } from '../k8s-auth-token-source.js';
import { isAttached } from './attach-k8s-auth.js';

/** What asks for the tokens of one registration of `K8sAuthHttpModule`. */
export interface Registration {
  readonly http: HttpService;
  /** What Nest injects into the registration: from the `imports` of `register`, else from the global root. */
  readonly tokenSource: TokensByOrigin;
  /** Of the module that the registration consists of. */
  readonly moduleRef: ModuleRef;
  readonly modules: ModulesContainer;
}

type Dependency = { readonly token?: unknown; readonly param?: unknown; readonly type?: unknown } | undefined;

const DEPENDENCY_KEYS = [PARAMTYPES_METADATA, SELF_DECLARED_DEPS_METADATA, PROPERTY_DEPS_METADATA];

/** Asks Nest what it injects into a module: what the module imports first, else what a global module offers. */
class Probe {
  constructor(
    @Optional() @Inject(HttpService) readonly http?: HttpService,
    @Optional() @Inject(K8sAuthTokenSource) readonly tokenSource?: TokensByOrigin,
  ) {}
}

/**
 * The token source of the root that serves the modules which use a registration, as for their routes. A root in the
 * `imports` of `register` overrides it.
 * @throws {ConfigurationError} the modules belong to different roots; it names them
 * @internal
 */
export async function findTokenSource(registration: Registration): Promise<TokensByOrigin> {
  const { http, tokenSource, moduleRef, modules } = registration;
  const inner = [...modules.values()].find(
    ({ providers }) => providers.get(ModuleRef)?.instance === moduleRef,
  );
  const outer = [...modules.values()].find(({ imports }) => inner && imports.has(inner));
  // Without an own import, both see the global root alone.
  if (!outer || (await probe(outer))?.tokenSource !== tokenSource) return tokenSource;
  const namesBySource = new Map<TokensByOrigin, string[]>();
  for (const module of usersOf(outer, modules)) {
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
 * All modules of the application, as its container has them. What Nest injects may be a Proxy, made by the option
 * `instrument.instanceDecorator`, on which no method of a `Map` works.
 * @internal
 */
export function modulesOf(moduleRef: ModuleRef): ModulesContainer {
  return (moduleRef as unknown as { readonly container: NestContainer }).container.getModules();
}

/** The modules that import a plain `HttpModule` beside the given one. A global one is found last, so it does no harm. */
export function importersWithPlainHttpModule(self: object, modules: ModulesContainer): Module[] {
  const registration = [...modules.values()].find(({ instance }) => Object.is(instance, self));
  if (!registration || registration.isGlobal) return [];
  return importersOf(registration, modules).filter(({ imports }) =>
    [...imports].some((imported) => !imported.isGlobal && isOrExportsHttpModule(imported, new Set())),
  );
}

const warned = new WeakSet<ModulesContainer>();

/**
 * Warns once for an application that has destinations, and `HttpModule` where `K8sAuthHttpModule` may be meant: in no
 * module is a token attached.
 * @internal
 */
export function warnOfHttpModuleAlone(modules: ModulesContainer, log: Log): void {
  const plain = [...modules.values()].filter(({ metatype }) => metatype === HttpModule);
  const instances = plain.map(({ providers }) => {
    const http = providers.get(HttpService)?.instance as Partial<HttpService> | undefined;
    return http?.axiosRef;
  });
  if (instances.every((one) => !one) || instances.some((one) => one && isAttached(one))) return;
  if (warned.has(modules)) return;
  warned.add(modules);
  const names = plain.flatMap((module) => importersOf(module, modules)).map(({ name }) => name);
  const message =
    'no token is attached to requests of HttpModule: import K8sAuthHttpModule.register() instead, or use attachK8sAuth';
  log.warn({ message, modules: [...new Set(names)] });
}

async function probe({ providers }: Module): Promise<Probe | undefined> {
  try {
    return await (providers.get(ModuleRef)?.instance as ModuleRef | undefined)?.create(Probe);
  } catch {
    return undefined;
  }
}

/** The modules whose code may be given what a module exports. */
function usersOf(module: Module, modules: ModulesContainer, seen = new Set<Module>()): Set<Module> {
  // A global module is seen by all, whether they use it or not.
  if (module.isGlobal) return new Set([...modules.values()].filter(injectsHttpService));
  const users = new Set<Module>();
  for (const importer of importersOf(module, modules)) {
    if (seen.has(importer)) continue;
    seen.add(importer);
    const isExportedAgain = importer.exports.has(module.metatype);
    if (!isExportedAgain || hasCode(importer)) users.add(importer);
    if (isExportedAgain) usersOf(importer, modules, seen).forEach((user) => users.add(user));
  }
  return users;
}

function importersOf(module: Module, modules: ModulesContainer): Module[] {
  return [...modules.values()].filter(({ imports }) => imports.has(module));
}

/** Whether a module does more than to import and export others. */
function hasCode({ metatype, providers, controllers, injectables }: Module): boolean {
  const ofNest: unknown[] = [metatype, ModuleRef, ApplicationConfig];
  const hasProviders = [...providers.keys()].some((token) => !ofNest.includes(token));
  return hasProviders || metatype.length > 0 || controllers.size + injectables.size > 0;
}

function injectsHttpService({ providers, controllers, injectables }: Module): boolean {
  const wrappers = [...providers.values(), ...controllers.values(), ...injectables.values()];
  return wrappers.some(({ inject, metatype }) => {
    if (typeof metatype !== 'function') return false;
    const read = (key: string) => (Reflect.getMetadata(key, metatype) ?? []) as Dependency[];
    // A factory says it itself; decorators note it on a class, by index or by name.
    const declared = (inject as Dependency[] | undefined) ?? DEPENDENCY_KEYS.flatMap(read);
    return declared.some((one) => [one, one?.token, one?.param, one?.type].includes(HttpService));
  });
}

function isOrExportsHttpModule(module: Module, seen: Set<Module>): boolean {
  if (module.metatype === HttpModule) return true;
  if (seen.has(module)) return false;
  seen.add(module);
  return [...module.imports].some(
    (imported) => module.exports.has(imported.metatype) && isOrExportsHttpModule(imported, seen),
  );
}
