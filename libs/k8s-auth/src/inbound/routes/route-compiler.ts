import { type MetadataScanner } from '@nestjs/core';
import { isIdentified, lineageOf, type RouteClass, type RouteHandler } from './controller-class.js';
import { CompiledRoutes } from './compiled-routes.js';
import { audienceMistakeOf, findDeclarationMistakes, findMethodMistakes } from './declaration-mistakes.js';
import { closeDeclarations, declarationOf, isDeclared } from './declarations.js';
import { declaredClassEnforcementOf, declaredEnforcementOf, hasMethodEnforcement } from './enforcement.js';
import { type GuardChains, guardMistakeOf, uncoveredMistakeOf } from './guard-chains.js';
import { addConnection } from './connection-compiler.js';
import { isGateway } from './gateway-connections.js';
import { isFieldResolver, isGatewayHandler, isMessageHandler, isRoute } from './guarded-handlers.js';
import { MISSING_MODULE, MISSING_VERIFIER, REPLACED_METHOD, UNIDENTIFIED_CLASS } from './mistake-texts.js';
import {
  classPolicyOf,
  isDecorated,
  methodDeclarationOf,
  policyOf,
  type RegisteredController,
  type Route,
  type RoutePolicy,
  toRoute,
} from './route.js';
import { isReplacementOf, type RouteTable } from './route-table.js';
import { type CompiledController } from './scoped-controllers.js';

/** Adds the routes of each controller, with what its decorators require, to the route table. @internal */
export class RouteCompiler {
  readonly compiled = new CompiledRoutes();

  constructor(
    readonly table: RouteTable,
    readonly chains: GuardChains,
    private readonly scanner: MetadataScanner,
  ) {}

  add(controller: RegisteredController): CompiledController {
    const { routeClass } = controller;
    controller.root?.publicControllers.noteController(routeClass);
    const prototype = routeClass.prototype as Record<string, RouteHandler>;
    const methods = this.scanner
      .getAllMethodNames(prototype)
      .map((name) => [name, prototype[name] as RouteHandler] as const)
      .filter(([, method]) => isRoute(method) || isMessageHandler(method));
    return this.addClass(controller, methods);
  }

  /** Adds the handlers of a gateway or a resolver. */
  addProvider(provider: RegisteredController, handlers: ReadonlyMap<string, RouteHandler>): void {
    const { routeClass } = provider;
    const [policy, methods] = [classPolicyOf(routeClass), [...handlers]];
    // Libraries run other functions of a provider. Only @K8sAuth on the class applies to them.
    this.addClass(provider, methods, policy.kind === 'protected');
    if (isGateway(routeClass)) addConnection(provider, handlers, this);
  }

  /** @param coversClass whether the policy of the class applies to functions that are not known at startup */
  private addClass(
    controller: RegisteredController,
    methods: readonly (readonly [string, RouteHandler])[],
    coversClass = true,
  ): CompiledController {
    const { routeClass, instance } = controller;
    const { mistakes } = this.compiled;
    const names = this.scanner.getAllMethodNames(routeClass.prototype as object);
    const hasOneClassPolicy =
      coversClass &&
      !hasMethodEnforcement(routeClass) &&
      names.every((name) => !isDeclared(methodDeclarationOf(routeClass, name)));
    const hasDecorators = isDecorated(routeClass, instance);
    if (!isIdentified(routeClass, instance)) {
      if (hasDecorators) mistakes.add(`${routeClass.name}: ${UNIDENTIFIED_CLASS}`);
      return this.addUnidentified(methods, hasOneClassPolicy, controller);
    }
    const protectsMessages = methods.some(
      ([name, method]) => isMessageHandler(method) && policyOf(routeClass, name).kind === 'protected',
    );
    const result = { routeClass, methods: new Map(methods), hasOneClassPolicy, protectsMessages };
    closeDeclarations(routeClass);
    const decorated = coversClass ? [routeClass, ...result.methods.values()] : result.methods.values();
    if (hasDecorators) [...decorated].forEach((one) => this.table.noteDecoratedTarget(one));
    for (const link of lineageOf(routeClass)) {
      findDeclarationMistakes(link.name, declarationOf(link)).forEach((mistake) => mistakes.add(mistake));
    }
    for (const [name, method] of methods) this.addMethod(name, method, controller);
    if (hasOneClassPolicy) {
      const [label, enforce] = [`${routeClass.name}.*`, declaredClassEnforcementOf(routeClass)];
      const route = toRoute(label, classPolicyOf(routeClass), controller.root, enforce);
      this.table.add(routeClass, undefined, route);
    }
    return result;
  }

  /** A class without our decorators: its routes are found by the class that its instance names. */
  private addUnidentified(
    methods: readonly (readonly [string, RouteHandler])[],
    hasOneClassPolicy: boolean,
    controller: RegisteredController,
  ): CompiledController {
    const { routeClass, instance } = controller;
    const claimed: unknown = Reflect.get(instance, 'constructor');
    const namedClass = typeof claimed === 'function' ? (claimed as RouteClass) : routeClass;
    for (const [name, method] of methods) {
      const found: unknown = Reflect.get(instance, name);
      const handler = typeof found === 'function' ? found : method;
      const label = `${routeClass.name}.${name}`;
      this.addUndecorated(name, method, handler, controller);
      const route = toRoute(label, { kind: 'undecorated' }, controller.root);
      this.compiled.noteEnforcement(route);
      this.table.add(namedClass, new Set([handler]), route);
    }
    return { routeClass: namedClass, methods: new Map(methods), hasOneClassPolicy, protectsMessages: false };
  }

  /** `K8sAuthGuard` must run on each message handler with `@K8sAuth`, of a controller or a provider, to refuse messages. */
  private checkMessageHandler(
    label: string,
    handler: RouteHandler,
    { instance, moduleKey }: Pick<RegisteredController, 'instance' | 'moduleKey'>,
  ): void {
    this.table.noteDecoratedTarget(handler);
    if (this.chains.includesGuardOfMessages(instance, handler, moduleKey)) return;
    this.compiled.mistakes.add(guardMistakeOf(label));
  }

  private addMethod(name: string, method: RouteHandler, controller: RegisteredController): void {
    const { routeClass, instance } = controller;
    const { mistakes, exceptions } = this.compiled;
    const label = `${routeClass.name}.${name}`;
    exceptions.ws ||= isGatewayHandler(method);
    exceptions.rpc ||= isMessageHandler(method);
    const declared = policyOf(routeClass, name);
    const isOpened = declared.kind === 'undecorated' && this.isOpenedByOption(name, method, controller);
    const policy: RoutePolicy = isOpened ? { kind: 'public' } : declared;
    findMethodMistakes(label, policy, { routeClass, name }).forEach((one) => mistakes.add(one));
    const handler: unknown = Reflect.get(instance, name);
    const isFunction = typeof handler === 'function';
    if (policy.kind === 'undecorated')
      this.addUndecorated(name, method, isFunction ? handler : method, controller);
    else if (!isReplacementOf(handler, method, instance, name)) {
      mistakes.add(`${label}: ${REPLACED_METHOD}`);
      return;
    }
    const route = toRoute(label, policy, controller.root, declaredEnforcementOf(routeClass, name));
    this.compiled.noteEnforcement(route);
    if (policy.kind === 'protected') this.checkProtected(route, method, handler as RouteHandler, controller);
    if (policy.kind !== 'undecorated') this.table.summary.add(controller.root, policy.kind, route.audiences);
    this.table.add(routeClass, new Set(isFunction ? [method, handler] : [method]), route);
  }

  /** Only routes: for messages, the option says nothing. The class may still be the copy of a protected class. */
  private isOpenedByOption(name: string, method: RouteHandler, controller: RegisteredController): boolean {
    const { routeClass, root } = controller;
    if (!isRoute(method) || !root?.publicControllers.open(routeClass)) return false;
    this.compiled.undecorated.push({ label: `${routeClass.name}.${name}`, routeClass, name, method });
    return true;
  }

  private addUndecorated(
    name: string,
    method: RouteHandler,
    handler: RouteHandler,
    { routeClass, instance, moduleKey, root }: RegisteredController,
  ): void {
    const label = `${routeClass.name}.${name}`;
    // GraphQL calls it only after a resolver on which the guard has run.
    if (isFieldResolver(method)) return;
    if (isRoute(method)) this.compiled.undecorated.push({ label, routeClass, name, method });
    const kind = this.chains.includesGuard(instance, handler, moduleKey) ? 'refused' : 'open';
    this.compiled[kind].push(label);
    this.table.summary.add(root, kind);
    const isMessage = isMessageHandler(method) || isGatewayHandler(method);
    if (kind === 'refused' && isMessage && !this.chains.includesMessageGuard(instance, handler, moduleKey))
      this.compiled.mistakes.add(uncoveredMistakeOf(label));
  }

  private checkProtected(
    { label, policy, audiences }: Route,
    method: RouteHandler,
    handler: RouteHandler,
    { routeClass, instance, moduleKey, root }: RegisteredController,
  ): void {
    const { mistakes } = this.compiled;
    this.compiled.isAnyRouteProtected = true;
    this.table.noteProtected(routeClass, method);
    if (!root) {
      mistakes.add(`${label}: ${MISSING_MODULE}`);
      return;
    }
    if (isRoute(method) && !this.chains.includesGuard(instance, handler, moduleKey, root)) {
      mistakes.add(`${guardMistakeOf(label)}, or register K8sAuthGuard as APP_GUARD`);
    }
    if (!isRoute(method) || isMessageHandler(method))
      this.checkMessageHandler(label, handler, { instance, moduleKey });
    if (!root.verify) mistakes.add(`${label}: ${MISSING_VERIFIER}`);
    if (audiences.length === 0) mistakes.add(`${label}: ${audienceMistakeOf(policy)}`);
    this.compiled.noteAudiences(root, audiences, label);
  }
}
