import { type ApplicationConfig, type ModulesContainer, type NestContainer } from '@nestjs/core';
import { GuardsContextCreator } from '@nestjs/core/guards/guards-context-creator.js';
import { authenticatesInTests } from '../request/authenticated-request.js';
import { K8sAuthGuard } from '../request/k8s-auth.guard.js';
import { type RouteHandler } from './controller-class.js';

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
