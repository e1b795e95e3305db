import { type ApplicationConfig, type ModulesContainer, type NestContainer } from '@nestjs/core';
import { GuardsContextCreator } from '@nestjs/core/guards/guards-context-creator.js';
import { K8sAuthGuard } from '../request/k8s-auth.guard.js';
import { type RouteHandler } from './controller-class.js';

/** The guards that Nest runs on a route, found by Nest's own lookup: global ones, the class's, the method's. @internal */
export class GuardChains {
  private readonly creator: GuardsContextCreator;

  constructor(
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
  ) {
    // Of the container, the lookup uses the modules alone.
    this.creator = new GuardsContextCreator({ getModules: () => modules } as NestContainer, config);
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

  /** Whether `overrideGuard(K8sAuthGuard)` or `overrideProvider(K8sAuthGuard)` of a test has replaced the guard. */
  isOverridden(): boolean {
    return [...this.modules.values()].some(({ providers, injectables }) =>
      [providers, injectables].some((wrappers) => {
        const instance: unknown = wrappers.get(K8sAuthGuard)?.instance;
        return instance !== undefined && instance !== null && !(instance instanceof K8sAuthGuard);
      }),
    );
  }

  private scopedGlobals(): unknown[] {
    return this.config.getGlobalRequestGuards().map(({ instance }) => instance as unknown);
  }
}
