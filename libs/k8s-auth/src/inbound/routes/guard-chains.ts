import { type CanActivate } from '@nestjs/common';
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

  /** Whether the guard of this root runs, or what a test has put in its place. */
  includesGuardOf(root: object, instance: object, handler: RouteHandler, moduleKey: string): boolean {
    return this.creator
      .create(instance, handler as (...args: unknown[]) => unknown, moduleKey)
      .some((guard) => this.isOurs(guard) && (!(guard instanceof K8sAuthGuard) || guard.isOf(root)));
  }

  /** Whether `K8sAuthGuard` is a global guard: then it also runs on routes without a decorator. */
  isGlobal(): boolean {
    const scoped = this.config.getGlobalRequestGuards().map(({ instance }) => instance);
    return [...this.config.getGlobalGuards(), ...scoped].some((guard) => this.isOurs(guard));
  }

  private isOurs(guard: CanActivate): boolean {
    return guard instanceof K8sAuthGuard || this.overrides().includes(guard);
  }

  /** What `overrideGuard(K8sAuthGuard)` and `overrideProvider(K8sAuthGuard)` of a test put in the guard's place. */
  private overrides(): unknown[] {
    return [...this.modules.values()].flatMap(({ providers, injectables }) =>
      [providers, injectables].map((wrappers) => wrappers.get(K8sAuthGuard)?.instance),
    );
  }
}
