import { type ApplicationConfig, MetadataScanner, type ModulesContainer } from '@nestjs/core';
import { ConfigurationError } from '../../errors.js';
import { type Log } from '../../util/log.js';
import {
  controllersOf,
  noteRegistered,
  ownMethodsOf,
  prototypesOf,
  providersOf,
  type RouteClass,
  seemsToReplace,
} from './controller-class.js';
import { findOpenLoaders, findReplacedResolvers, loaderFieldsOf } from './graphql-loaders.js';
import { GuardChains } from './guard-chains.js';
import {
  fieldResolversHaveGuards,
  guardedMethodsOf,
  isResolver,
  isRoute,
  unguardedReferencesOf,
} from './guarded-handlers.js';
import {
  findUnregisteredRoutes,
  findMisplacedDecorators,
  findReplacedRoutes,
} from './ineffective-decorators.js';
import { type InboundRoot } from './route.js';
import { loadExceptions } from '../transports/exceptions.js';
import { trackRequests } from '../transports/current-request.js';
import { type ConnectionServers } from '../transports/connection-servers.js';
import { guardConnections } from '../transports/guard-connections.js';
import { readPeerAddresses } from '../transports/peer-addresses.js';
import { isGateway } from './gateway-connections.js';
import { guardMessageHandlers, setMessageGuard } from './message-guard.js';
import { findWrongRoots, rootOf } from './module-roots.js';
import { RouteCompiler } from './route-compiler.js';
import { markOriginal, RouteTable } from './route-table.js';
import { RouteTableGuard } from './route-table.guard.js';
import { type ScopedController } from './scoped-controllers.js';
import { warnOfOpenHandlers } from './startup-warnings.js';

/** A root, and the checks that need its options. */
interface JoinedRoot {
  readonly root: InboundRoot;
  /** @param audiences audience -> the routes of this root that require it */
  readonly findMistakes: (audiences: ReadonlyMap<string, readonly string[]>) => Promise<readonly string[]>;
}

/**
 * Compiles the routes of one application, once, for all of its roots. The route table contains the functions that Nest
 * will call. One error reports every mistake of every root.
 * @internal
 */
export class InboundStartup {
  private static readonly byApplication = new WeakMap<ModulesContainer, InboundStartup>();

  /** All roots of an application share one instance. */
  static of(modules: ModulesContainer, config: ApplicationConfig): InboundStartup {
    const known = this.byApplication.get(modules) ?? new InboundStartup(modules, config);
    this.byApplication.set(modules, known);
    return known;
  }

  readonly routes = new RouteTable();
  private readonly roots: JoinedRoot[] = [];
  private guard?: RouteTableGuard;
  private servers?: ConnectionServers;
  private running?: Promise<void>;

  private constructor(
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
  ) {}

  /** Must be called while Nest creates providers: after that, Nest registers the routes with their guards. */
  join(root: InboundRoot, findMistakes: JoinedRoot['findMistakes']): void {
    this.roots.push({ root, findMistakes });
    if (this.guard) return;
    this.guard = new RouteTableGuard(root, this.routes);
    this.config.addGlobalGuard(this.guard);
    const modules = [...this.modules.values()];
    setMessageGuard(this.modules, this.guard);
    guardMessageHandlers(modules);
    this.servers = guardConnections(this.config, this.modules, this.guard);
    // Before the routes are registered, because instrumentation copies the metadata of functions at that time.
    for (const { routeClass } of modules.flatMap(controllersOf)) {
      const methods = prototypesOf(routeClass).flatMap(ownMethodsOf);
      for (const [, method] of methods) if (isRoute(method)) markOriginal(method);
    }
  }

  /** @throws {ConfigurationError} if there are mistakes; it lists all of them @internal */
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
    await this.addProviders(compiler);
    const { compiled } = compiler;
    const isGuardGlobal = chains.isGlobal();
    // A service without a verifier only calls others. It may import the decorated classes of other services.
    const isReceiving = this.roots.some(({ root }) => root.verify);
    const unregisteredRoutes = isReceiving ? findUnregisteredRoutes([...controllers, ...providers]) : [];
    const mistakes = [
      ...findWrongRoots([...this.modules.values()]),
      ...this.findMisplaced(controllers, providers),
      ...this.routes.findSharedRoutes(),
      ...findReplacedRoutes(compiled.undecorated, unregisteredRoutes),
    ];
    for (const mistake of mistakes) compiled.mistakes.add(mistake);
    for (const { root, findMistakes } of this.roots) {
      const ofAudiences = await findMistakes(compiled.audiences.get(root) ?? new Map());
      for (const mistake of [...ofAudiences, ...root.publicControllers.findMistakes()])
        compiled.mistakes.add(mistake);
    }
    if (compiled.mistakes.size > 0) throw new ConfigurationError([...compiled.mistakes]);
    const isUsed = isGuardGlobal || this.routes.hasDecoratedTargets() || unregisteredRoutes.length > 0;
    if (isUsed) await loadExceptions(compiled.exceptions);
    this.guard?.configure({
      scoped,
      providers,
      isGuardGlobal,
      isUsed,
      replacement: chains.replacement(),
    });
    compiled.noteConnected(this.servers?.gatewaysWithoutHandshake() ?? []);
    const roots = this.roots.map(({ root }) => root);
    if (compiled.hasResolvers) trackRequests(roots);
    if (isReceiving) readPeerAddresses(roots);
    warnOfOpenHandlers(compiled, chains, roots, log);
  }

  /** @returns the controllers of which Nest creates an instance for each request */
  private async addControllers(compiler: RouteCompiler): Promise<ScopedController[]> {
    const scoped: ScopedController[] = [];
    for (const [moduleKey, module] of this.modules) {
      const controllers = controllersOf(module);
      const root = controllers.length > 0 ? await rootOf(module) : undefined;
      for (const { routeClass, instance, wrapper } of controllers) {
        const added = compiler.add({ routeClass, instance, moduleKey, root });
        if (wrapper.isDependencyTreeStatic()) continue;
        scoped.push({ wrapper, ...added });
        if (!added.hasOneClassPolicy && seemsToReplace(routeClass, new Set(added.methods.keys())))
          compiler.compiled.replacing.add(routeClass.name);
      }
    }
    return scoped;
  }

  /** Adds the handlers of gateways and resolvers. */
  private async addProviders(compiler: RouteCompiler): Promise<void> {
    const context = { fieldResolversHaveGuards: fieldResolversHaveGuards([...this.modules.values()]) };
    const loaders = loaderFieldsOf([...this.modules.values()]);
    compiler.compiled.openLoaders.push(...findOpenLoaders(loaders));
    for (const [moduleKey, module] of this.modules) {
      for (const { routeClass, instance } of providersOf(module)) {
        const handlers = guardedMethodsOf(routeClass, context);
        compiler.compiled.hasResolvers ||= [...handlers.values()].some(isResolver);
        if (handlers.size > 0 || isGateway(routeClass))
          compiler.addProvider({ routeClass, instance, moduleKey, root: await rootOf(module) }, handlers);
        compiler.compiled.unguardedReferences.push(...unguardedReferencesOf(routeClass, context));
        for (const mistake of findReplacedResolvers(routeClass, handlers, loaders))
          compiler.compiled.mistakes.add(mistake);
      }
    }
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
