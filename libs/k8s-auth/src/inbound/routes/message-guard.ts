import { type CanActivate } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
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

/**
 * Stands for the guard of the application in the metadata of message handlers, because several applications of one process
 * may have the same handlers. An application without K8sAuthModule has this instance, which accepts every message.
 */
class MessageGuard implements CanActivate {
  canActivate(): true {
    return true;
  }
}

/**
 * Makes Nest run `guard` on every message handler of a controller and of a gateway. Nest runs no global guard on the
 * messages of a microservice that is connected without `inheritAppConfig`, and Nest 11 runs none on gateways. Call it
 * before Nest registers the handlers.
 * @internal
 */
export function guardMessageHandlers(modules: readonly Module[], guard: CanActivate): void {
  for (const module of modules) {
    const handlers = [
      ...controllersOf(module).flatMap(({ routeClass }) => methodsOf(routeClass).filter(isMessageHandler)),
      ...providersOf(module).flatMap(({ routeClass }) => methodsOf(routeClass).filter(isGatewayHandler)),
    ];
    if (handlers.length === 0) continue;
    for (const handler of handlers) addGuard(handler);
    module.injectables.set(
      MessageGuard,
      new InstanceWrapper({
        token: MessageGuard,
        name: MessageGuard.name,
        metatype: MessageGuard,
        instance: guard,
        isResolved: true,
        host: module,
      }),
    );
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
