import { type CanActivate, type ExecutionContext, Inject } from '@nestjs/common';
import { ModuleRef, type ModulesContainer } from '@nestjs/core';

const guards = new WeakMap<ModulesContainer, CanActivate>();

/** Call this before a message can arrive. @internal */
export function setMessageGuard(modules: ModulesContainer, guard: CanActivate): void {
  guards.set(modules, guard);
}

/**
 * Runs the guard of the application that it belongs to. It is in the metadata of message handlers, which several
 * applications of one process may share. It accepts every message of an application without K8sAuthModule.
 * @internal
 */
export class MessageGuard implements CanActivate {
  private readonly modules: ModulesContainer;

  constructor(@Inject(ModuleRef) moduleRef: ModuleRef) {
    const { container } = moduleRef as unknown as { container: { getModules(): ModulesContainer } };
    this.modules = container.getModules();
  }

  canActivate(context: ExecutionContext): ReturnType<CanActivate['canActivate']> {
    return guards.get(this.modules)?.canActivate(context) ?? true;
  }
}
