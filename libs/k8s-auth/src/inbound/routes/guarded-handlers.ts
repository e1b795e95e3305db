import { PATH_METADATA } from '@nestjs/common/constants.js';
import { type ApplicationConfig, type ModulesContainer, type NestContainer } from '@nestjs/core';
import { GuardsContextCreator } from '@nestjs/core/guards/guards-context-creator.js';
import { type Module } from '@nestjs/core/injector/module.js';
import { type Log } from '../../util/log.js';
import { authenticatesInTests } from '../request/authenticated-request.js';
import { K8sAuthGuard } from '../request/k8s-auth.guard.js';
import { ownMethodsOf, prototypesOf, type RouteClass, type RouteHandler } from './controller-class.js';
import { type InboundRoot } from './route.js';

// Keys of packages that need not be installed: @nestjs/microservices, @nestjs/websockets, @nestjs/graphql.
const MESSAGE_PATTERN = 'microservices:pattern';
const SUBSCRIBED_MESSAGE = 'websockets:message_mapping';
const RESOLVER_TYPE = 'graphql:resolver_type';
const FIELD_RESOLVERS = ['graphql:resolve_property', 'graphql:resolve_reference'];
const ROOT_RESOLVERS: readonly unknown[] = ['Query', 'Mutation', 'Subscription'];
// The provider that holds the options of @nestjs/graphql.
const GRAPHQL_OPTIONS = 'GqlModuleOptions';

/** Where a class is registered, which decides what Nest makes of its methods. */
export interface HandlerContext {
  readonly isController: boolean;
  /** GraphQL's option `fieldResolverEnhancers` includes `guards`. */
  readonly fieldResolversHaveGuards: boolean;
}

/** Nest's own test for an HTTP route, see its PathsExplorer. @internal */
export function isRoute(method: object): boolean {
  return Reflect.getMetadata(PATH_METADATA, method) !== undefined;
}

/** Whether it handles messages of a microservice. @internal */
export function isMessageHandler(method: object): boolean {
  return Reflect.hasMetadata(MESSAGE_PATTERN, method);
}

/**
 * The methods of a provider that Nest runs guards on: of gateways and resolvers.
 * @returns name -> function
 * @internal
 */
export function guardedMethodsOf(
  routeClass: RouteClass,
  context: Omit<HandlerContext, 'isController'>,
): ReadonlyMap<string, RouteHandler> {
  const names = new Set(prototypesOf(routeClass).flatMap((link) => ownMethodsOf(link).map(([name]) => name)));
  return new Map(
    [...names].flatMap((name): [string, RouteHandler][] => {
      const method: unknown = Reflect.get(routeClass.prototype as object, name);
      if (typeof name !== 'string' || typeof method !== 'function') return [];
      return hasGuards(method, routeClass, { ...context, isController: false }) ? [[name, method]] : [];
    }),
  );
}

/** Whether Nest runs guards on a method. @internal */
export function hasGuards(
  method: RouteHandler,
  routeClass: RouteClass,
  { isController, fieldResolversHaveGuards }: HandlerContext,
): boolean {
  if (isController) return isRoute(method) || isMessageHandler(method);
  if (Reflect.hasMetadata(SUBSCRIBED_MESSAGE, method)) return true;
  const type: unknown =
    Reflect.getMetadata(RESOLVER_TYPE, method) ?? Reflect.getMetadata(RESOLVER_TYPE, routeClass);
  if (FIELD_RESOLVERS.some((key) => Reflect.hasMetadata(key, method))) return fieldResolversHaveGuards;
  return ROOT_RESOLVERS.includes(type) && Reflect.hasMetadata(RESOLVER_TYPE, method);
}

/** @internal */
export function fieldResolversHaveGuards(modules: readonly Module[]): boolean {
  return modules.some(({ providers }) => {
    const options = providers.get(GRAPHQL_OPTIONS)?.instance as
      { fieldResolverEnhancers?: unknown } | undefined;
    return (
      Array.isArray(options?.fieldResolverEnhancers) && options.fieldResolverEnhancers.includes('guards')
    );
  });
}

/** The guards that Nest runs on a route, found by Nest's own lookup: global ones, the class's, the method's. @internal */
export class GuardChains {
  private readonly creator: GuardsContextCreator;
  private readonly creatorWithoutGlobals: GuardsContextCreator;

  constructor(
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
  ) {
    // Of the container, the lookup uses the modules alone.
    const container = { getModules: () => modules } as NestContainer;
    this.creator = new GuardsContextCreator(container, config);
    this.creatorWithoutGlobals = new GuardsContextCreator(container);
  }

  /** Without global guards: whether Nest runs them on messages depends on its version, and on `inheritAppConfig`. */
  includesGuardOfMessages(instance: object, handler: RouteHandler, moduleKey: string): boolean {
    if (this.isOverridden()) return true;
    return this.creatorWithoutGlobals
      .create(instance, handler as (...args: unknown[]) => unknown, moduleKey)
      .some((guard) => guard instanceof K8sAuthGuard);
  }

  /** @param root whose guard it must be; any root's when omitted. What a test has put in its place counts too. */
  includesGuard(instance: object, handler: RouteHandler, moduleKey: string, root?: object): boolean {
    if (this.isOverridden()) return true;
    const chain = this.creator.create(instance, handler as (...args: unknown[]) => unknown, moduleKey);
    const ours = [...chain, ...this.scopedGlobals()].filter((guard) => guard instanceof K8sAuthGuard);
    return ours.some((guard) => root === undefined || guard.isOf(root));
  }

  /** Whether `K8sAuthGuard` is a global guard: then it also runs on routes without a decorator. */
  isGlobal(): boolean {
    const guards: unknown[] = [...this.config.getGlobalGuards(), ...this.scopedGlobals()];
    return guards.some((guard) => guard instanceof K8sAuthGuard);
  }

  /**
   * Whether a test has overridden the guard: by `authenticateAs`, or by `overrideGuard(K8sAuthGuard)`, which leaves no
   * decorator and no APP_GUARD a genuine one. A provider that merely takes the guard's token switches nothing off.
   */
  isOverridden(): boolean {
    const modules = [...this.modules.values()];
    const provided = modules.map(({ providers }): unknown => providers.get(K8sAuthGuard)?.instance);
    const bound = modules
      .map(({ injectables }): unknown => injectables.get(K8sAuthGuard)?.instance)
      .filter((one) => one !== undefined && one !== null);
    if ([...provided, ...bound].some(authenticatesInTests)) return true;
    return bound.length > 0 && !bound.some((one) => one instanceof K8sAuthGuard) && !this.isGlobal();
  }

  private scopedGlobals(): unknown[] {
    return this.config.getGlobalRequestGuards().map(({ instance }) => instance as unknown);
  }
}

/** What is wrong with a protected handler on which Nest does not run the guard. @internal */
export function guardMistakeOf(label: string): string {
  return (
    `${label}: expected K8sAuthGuard among the guards that Nest runs: what stands there does not carry it (an ` +
    'override, a mixin, a constructor or another decorator put it there); repeat @K8sAuth'
  );
}

/** Handlers with neither `@K8sAuth` nor `@Public`. */
export interface OpenHandlers {
  /** Routes on which `K8sAuthGuard` runs. */
  readonly refused: string[];
  /** Routes on which it does not. */
  readonly open: string[];
  readonly openMessages: string[];
  /** Controllers of request scope whose constructor seems to replace decorated handlers. */
  readonly replacing: Set<string>;
  isAnyRouteProtected: boolean;
}

/** Warns once, at startup, of handlers that nobody has decided about. @internal */
export function warnOfOpenHandlers(
  { refused, open, openMessages, replacing, isAnyRouteProtected }: OpenHandlers,
  chains: GuardChains,
  roots: readonly InboundRoot[],
  log: Log,
): void {
  const isGuardGlobal = chains.isGlobal();
  if (chains.isOverridden()) {
    log.warn({
      message: 'K8sAuthGuard is overridden by a test: @K8sAuth protects no route of this application',
    });
  }
  const isHybrid = roots.some(({ adapterHost }) => adapterHost.httpAdapter);
  if (refused.length > 0) {
    log.warn({ message: 'routes without @K8sAuth or @Public are refused for every caller', routes: refused });
  }
  if (replacing.size > 0) {
    log.warn({
      message:
        'controllers of request scope replace their handlers in the constructor: requests that reach such a function are refused; decorate the class instead, or do not replace them',
      controllers: [...replacing],
    });
  }
  if (isGuardGlobal && isHybrid && openMessages.length > 0) {
    log.warn({
      message:
        'message handlers without @K8sAuth are open if their microservice is connected without inheritAppConfig, because APP_GUARD does not cover it then',
      handlers: openMessages,
    });
  }
  const handlers = [...open, ...openMessages];
  const hasVerifier = roots.some(({ verify }) => verify);
  if (hasVerifier && !isGuardGlobal && !isAnyRouteProtected && handlers.length > 0) {
    log.warn({
      message:
        'K8sAuthModule has a verifier, but no route uses it: K8sAuthGuard does not run on these handlers',
      handlers,
    });
  }
}
