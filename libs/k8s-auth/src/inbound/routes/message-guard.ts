import { type CanActivate, type ExecutionContext, Inject } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { ModuleRef, type ModulesContainer } from '@nestjs/core';
import { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { type Module } from '@nestjs/core/injector/module.js';
import {
  controllersOf,
  ownMethodsOf,
  prototypesOf,
  providersOf,
  type RouteClass,
  type RouteHandler,
} from './controller-class.js';
import { isGatewayHandler, isMessageHandler } from './guarded-handlers.js';

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

/**
 * Makes Nest run {@link MessageGuard} on every message handler of a controller and of a gateway. Nest runs no global guard
 * on the messages of a microservice that is connected without `inheritAppConfig`, and Nest 11 runs none on gateways. Call
 * it before Nest registers the handlers.
 * @internal
 */
export function guardMessageHandlers(modules: readonly Module[]): void {
  for (const module of modules) {
    const handlers = [
      ...controllersOf(module).flatMap(({ routeClass }) => methodsOf(routeClass).filter(isMessageHandler)),
      ...providersOf(module).flatMap(({ routeClass }) => methodsOf(routeClass).filter(isGatewayHandler)),
    ];
    for (const handler of handlers) addGuard(handler);
    if (handlers.length > 0) provideGuard(module);
  }
}

function methodsOf(routeClass: RouteClass): RouteHandler[] {
  return prototypesOf(routeClass).flatMap((link) => ownMethodsOf(link).map(([, method]) => method));
}

/** First, so that it runs before the other guards of the handler. */
function addGuard(handler: RouteHandler): void {
  const known = Reflect.getMetadata(GUARDS_METADATA, handler) as unknown[] | undefined;
  if (known?.includes(MessageGuard)) return;
  Reflect.defineMetadata(GUARDS_METADATA, [MessageGuard, ...(known ?? [])], handler);
}

/** Nest finds guards in metadata before it creates providers. It does so by itself for an earlier application's handlers. */
function provideGuard(module: Module): void {
  if (module.injectables.has(MessageGuard)) return;
  const moduleRef = module.providers.get(ModuleRef)?.instance as ModuleRef;
  module.injectables.set(
    MessageGuard,
    new InstanceWrapper({
      token: MessageGuard,
      name: MessageGuard.name,
      metatype: MessageGuard,
      instance: new MessageGuard(moduleRef),
      isResolved: true,
      host: module,
    }),
  );
}
