import { Inject } from '@nestjs/common';
import { type ApplicationConfig, MetadataScanner, ModuleRef, type ModulesContainer } from '@nestjs/core';
import { type Module } from '@nestjs/core/injector/module.js';
import { ConfigurationError } from '../../errors.js';
import { type Log } from '../../util/log.js';
import { K8S_AUTH_INBOUND_ROOT } from '../inbound.constants.js';
import {
  controllersOf,
  noteRegistered,
  ownMethodsOf,
  prototypesOf,
  providersOf,
  type RouteClass,
  seemsToReplace,
} from './controller-class.js';
import {
  fieldResolversHaveGuards,
  GuardChains,
  guardedMethodsOf,
  isRoute,
  warnOfOpenHandlers,
} from './guarded-handlers.js';
import { findLostRoutes, findMisplacedDecorators, findReplacedRoutes } from './ineffective-decorators.js';
import { type InboundRoot } from './route.js';
import { RouteCompiler } from './route-compiler.js';
import { markOriginal, RouteTable } from './route-table.js';
import { RouteTableGuard, type ScopedController } from './route-table.guard.js';

/** A root with what only it can check. */
interface JoinedRoot {
  readonly root: InboundRoot;
  /** @param audiences audience -> the routes of this root that require it */
  readonly findMistakes: (audiences: ReadonlyMap<string, readonly string[]>) => Promise<readonly string[]>;
}

/** Asks Nest which root a module sees: its own import first, else the global one. */
class RootProbe {
  constructor(@Inject(K8S_AUTH_INBOUND_ROOT) readonly root: InboundRoot) {}
}

/**
 * Compiles the routes of one application, once, for all of its roots: what Nest will really call becomes the route
 * table, and every mistake of every root is in one error.
 * @internal
 */
export class InboundStartup {
  private static readonly byApplication = new WeakMap<ModulesContainer, InboundStartup>();

  /** All roots of an application share one. */
  static of(modules: ModulesContainer, config: ApplicationConfig): InboundStartup {
    const known = this.byApplication.get(modules) ?? new InboundStartup(modules, config);
    this.byApplication.set(modules, known);
    return known;
  }

  readonly routes = new RouteTable();
  private readonly roots: JoinedRoot[] = [];
  private guard?: RouteTableGuard;
  private running?: Promise<void>;

  private constructor(
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
  ) {}

  /** To be called while providers are created: Nest registers its routes, with their guards, right after that. */
  join(root: InboundRoot, findMistakes: JoinedRoot['findMistakes']): void {
    this.roots.push({ root, findMistakes });
    if (this.guard) return;
    this.guard = new RouteTableGuard(root, this.routes);
    this.config.addGlobalGuard(this.guard);
    // Before the routes are registered: instrumentation copies what is on a function then.
    for (const { routeClass } of [...this.modules.values()].flatMap(controllersOf)) {
      const methods = prototypesOf(routeClass).flatMap(ownMethodsOf);
      for (const [, method] of methods) if (isRoute(method)) markOriginal(method);
    }
  }

  /** @throws {ConfigurationError} with every mistake @internal */
  run(log: Log): Promise<void> {
    this.running ??= this.compile(log);
    return this.running;
  }

  private async compile(log: Log): Promise<void> {
    const chains = new GuardChains(this.modules, this.config);
    const compiler = new RouteCompiler(this.routes, chains, new MetadataScanner());
    const { controllers, providers } = this.findClasses();
    [...controllers, ...providers].forEach(noteRegistered);
    const scoped = await this.addControllers(compiler);
    this.checkProviders(compiler);
    const { compiled } = compiler;
    const isGuardGlobal = chains.isGlobal();
    // Without a verifier it only calls others, and may import their classes.
    const isReceiving = this.roots.some(({ root }) => root.verify);
    const lost = isReceiving ? findLostRoutes([...controllers, ...providers]) : [];
    const mistakes = [
      ...this.findWrongRoots(),
      ...this.findMisplaced(controllers, providers),
      ...this.routes.findSharedRoutes(),
      ...findReplacedRoutes(compiled.undecorated, lost),
    ];
    for (const mistake of mistakes) compiled.mistakes.add(mistake);
    for (const { root, findMistakes } of this.roots) {
      for (const mistake of await findMistakes(compiled.audiences.get(root) ?? new Map()))
        compiled.mistakes.add(mistake);
    }
    if (compiled.mistakes.size > 0) throw new ConfigurationError([...compiled.mistakes]);
    this.guard?.configure({
      scoped,
      providers,
      isGuardGlobal,
      isUsed: isGuardGlobal || this.routes.concernsAny() || lost.length > 0,
      isOverridden: chains.isOverridden(),
    });
    const roots = this.roots.map(({ root }) => root);
    warnOfOpenHandlers(compiled, chains, roots, log);
  }

  /** @returns those of which Nest creates an instance for each request */
  private async addControllers(compiler: RouteCompiler): Promise<ScopedController[]> {
    const scoped: ScopedController[] = [];
    for (const [moduleKey, module] of this.modules) {
      const controllers = controllersOf(module);
      const root = controllers.length > 0 ? await rootOf(module) : undefined;
      for (const { routeClass, instance, wrapper } of controllers) {
        const added = compiler.add({ routeClass, instance, moduleKey, root });
        if (wrapper.isDependencyTreeStatic()) continue;
        scoped.push({ wrapper, ...added });
        if (!added.isUniform && seemsToReplace(routeClass, new Set(added.methods.keys())))
          compiler.compiled.replacing.add(routeClass.name);
      }
    }
    return scoped;
  }

  private checkProviders(compiler: RouteCompiler): void {
    const context = { fieldResolversHaveGuards: fieldResolversHaveGuards([...this.modules.values()]) };
    for (const [moduleKey, module] of this.modules) {
      for (const { routeClass, instance } of providersOf(module)) {
        for (const [name, method] of guardedMethodsOf(routeClass, context)) {
          compiler.addProviderMethod(name, method, { routeClass, instance, moduleKey });
        }
      }
    }
  }

  private findWrongRoots(): string[] {
    const modules = [...this.modules.values()];
    const rootOf = ({ providers }: Module) => providers.get(K8S_AUTH_INBOUND_ROOT);
    const isScoped = modules.some((module) => rootOf(module)?.isDependencyTreeStatic() === false);
    // Also through a global module that exports the module of a root again.
    const globals = modules
      .filter(({ isGlobal }) => isGlobal)
      .flatMap((module) => [
        rootOf(module),
        ...[...module.imports].filter(({ metatype }) => module.exports.has(metatype)).map(rootOf),
      ]);
    return [
      ...(isScoped ? ['K8sAuthModule: expected options that do not depend on the request'] : []),
      // Both would offer verifier and tokens, and nobody could say which one serves a module.
      ...(new Set(globals.filter(Boolean)).size > 1
        ? ['K8sAuthModule: expected at most one global forRoot or forRootAsync; others take isGlobal: false']
        : []),
    ];
  }

  private findClasses(): { readonly controllers: Set<RouteClass>; readonly providers: Set<RouteClass> } {
    const modules = [...this.modules.values()];
    const controllers = new Set(modules.flatMap(controllersOf).map(({ routeClass }) => routeClass));
    const providers = new Set(
      modules
        .flatMap(providersOf)
        .map(({ routeClass }) => routeClass)
        .filter((one) => !controllers.has(one)),
    );
    return { controllers, providers };
  }

  private findMisplaced(controllers: Set<RouteClass>, providers: Set<RouteClass>): string[] {
    const context = { fieldResolversHaveGuards: fieldResolversHaveGuards([...this.modules.values()]) };
    const find = (classes: Set<RouteClass>, isController: boolean) =>
      [...classes].flatMap((one) => findMisplacedDecorators(one, { ...context, isController }));
    return [...find(controllers, true), ...find(providers, false)];
  }
}

async function rootOf(module: Module): Promise<InboundRoot | undefined> {
  const moduleRef = module.providers.get(ModuleRef)?.instance as ModuleRef | undefined;
  try {
    return (await moduleRef?.create(RootProbe))?.root;
  } catch {
    return undefined;
  }
}
