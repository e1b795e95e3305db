import { type CanActivate } from '@nestjs/common';
import { type ApplicationConfig, type ModulesContainer, type NestContainer } from '@nestjs/core';
import { GuardsContextCreator } from '@nestjs/core/guards/guards-context-creator.js';
import { authenticatesInTests } from '../request/authenticated-request.js';
import { K8sAuthGuard } from '../request/k8s-auth.guard.js';
import { type RouteHandler } from './controller-class.js';
import { MessageGuard } from './message-guard.js';

/** The guards that Nest runs on a route: global, of the class and of the method. Uses Nest's own lookup. @internal */
export class GuardChains {
  private readonly creator: GuardsContextCreator;
  private readonly creatorWithoutGlobals: GuardsContextCreator;

  constructor(
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
  ) {
    // The lookup uses only the modules of the container.
    const container = { getModules: () => modules } as NestContainer;
    this.creator = new GuardsContextCreator(container, config);
    this.creatorWithoutGlobals = new GuardsContextCreator(container);
  }

  /** Whether the guard of the route table runs on the handler, also where Nest runs no global guards. */
  includesMessageGuard(instance: object, handler: RouteHandler, moduleKey: string): boolean {
    return this.creatorWithoutGlobals
      .create(instance, handler as (...args: unknown[]) => unknown, moduleKey)
      .some((guard) => guard instanceof K8sAuthGuard || guard instanceof MessageGuard);
  }

  /** Ignores global guards: Nest's version and `inheritAppConfig` decide whether they run on messages. */
  includesGuardOfMessages(instance: object, handler: RouteHandler, moduleKey: string): boolean {
    if (this.isOverridden()) return true;
    return this.creatorWithoutGlobals
      .create(instance, handler as (...args: unknown[]) => unknown, moduleKey)
      .some((guard) => guard instanceof K8sAuthGuard);
  }

  /** @param root the root of the guard; any root when omitted. If a test has overridden the guard, the result is `true`. */
  includesGuard(instance: object, handler: RouteHandler, moduleKey: string, root?: object): boolean {
    if (this.isOverridden()) return true;
    const chain = this.creator.create(instance, handler as (...args: unknown[]) => unknown, moduleKey);
    const ours = [...chain, ...this.scopedGlobals()].filter((guard) => guard instanceof K8sAuthGuard);
    return ours.some((guard) => root === undefined || guard.isOf(root));
  }

  /** Whether `K8sAuthGuard` is a global guard, which also runs on routes without a decorator. */
  isGlobal(): boolean {
    const guards: unknown[] = [...this.config.getGlobalGuards(), ...this.scopedGlobals()];
    return guards.some((guard) => guard instanceof K8sAuthGuard);
  }

  /**
   * Whether a test has overridden the guard, by `authenticateAs` or by `overrideGuard(K8sAuthGuard)`. The latter replaces
   * the guard of every decorator and of APP_GUARD. A provider with `K8sAuthGuard` as its token overrides nothing.
   */
  isOverridden(): boolean {
    return this.replacement() !== undefined;
  }

  /** What a test has put in place of the guard. */
  replacement(): CanActivate | undefined {
    const modules = [...this.modules.values()];
    const provided = modules.map(({ providers }): unknown => providers.get(K8sAuthGuard)?.instance);
    const bound = modules
      .map(({ injectables }): unknown => injectables.get(K8sAuthGuard)?.instance)
      .filter((one) => one !== undefined && one !== null);
    const ofTesting = [...provided, ...bound].find(authenticatesInTests);
    if (ofTesting) return ofTesting as CanActivate;
    const isReplaced =
      bound.length > 0 && !bound.some((one) => one instanceof K8sAuthGuard) && !this.isGlobal();
    return isReplaced ? (bound[0] as CanActivate) : undefined;
  }

  private scopedGlobals(): unknown[] {
    return this.config.getGlobalRequestGuards().map(({ instance }) => instance as unknown);
  }
}

/** The mistake of a protected handler on which Nest does not run the guard. @internal */
export function guardMistakeOf(label: string): string {
  return (
    `${label}: expected K8sAuthGuard among the guards that Nest runs, but the function does not have it (an override, ` +
    'a mixin, a constructor or another decorator has replaced the method); repeat @K8sAuth'
  );
}

/** The mistake of a handler without a decorator on which Nest runs no guard at all. @internal */
export function uncoveredMistakeOf(label: string): string {
  return (
    `${label}: expected @K8sAuth or @Public on its class, because no guard runs on the function that Nest calls (a ` +
    'constructor has replaced the method, and APP_GUARD does not run on every transport)'
  );
}
