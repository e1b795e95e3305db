import { type CompiledRoutes } from './compiled-routes.js';
import { type RouteHandler } from './controller-class.js';
import { audienceMistakeOf, findMethodMistakes } from './declaration-mistakes.js';
import { isDeclared } from './declarations.js';
import { declaredEnforcementOf } from './enforcement.js';
import { CONNECTION_HOOK, connectionHandlerOf, connectionRouteOf } from './gateway-connections.js';
import { type GuardChains } from './guard-chains.js';
import { isGatewayHandler } from './guarded-handlers.js';
import { MISSING_MODULE, MISSING_VERIFIER } from './mistake-texts.js';
import { methodDeclarationOf, policyOf, type RegisteredController, type Route, toRoute } from './route.js';
import { type RouteTable } from './route-table.js';

/** Where the connections of a gateway are added. */
interface Target {
  readonly compiled: CompiledRoutes;
  readonly table: RouteTable;
  readonly chains: GuardChains;
}

/**
 * Adds what a gateway requires of a client that connects, as one more handler of its class.
 * @param handlers every handler of the class, by name
 * @internal
 */
export function addConnection(
  gateway: RegisteredController,
  handlers: ReadonlyMap<string, RouteHandler>,
  { compiled, table, chains }: Target,
): void {
  const { routeClass, root } = gateway;
  // Several modules may register one class. With other roots, startup fails because of its handlers.
  if (compiled.connections.get(routeClass)?.root === root && compiled.connections.has(routeClass)) return;
  const routes = [...handlers]
    .filter(([, method]) => isGatewayHandler(method))
    .map(([name]) => {
      const enforce = declaredEnforcementOf(routeClass, name);
      return toRoute(`${routeClass.name}.${name}`, policyOf(routeClass, name), root, enforce);
    });
  const route = connectionRouteOf(routeClass, root, routes);
  const handler = connectionHandlerOf(routeClass);
  const { kind } = route.policy;
  if (kind === 'undecorated' && chains.isGlobal()) compiled.refused.push(route.label);
  compiled.noteEnforcement(route);
  for (const mistake of mistakesOf(gateway, route, routes)) compiled.mistakes.add(mistake);
  if (kind === 'protected') {
    compiled.isAnyRouteProtected = true;
    table.noteDecoratedTarget(handler);
    const isRequiredByHandlers = route.audiences.every((one) =>
      routes.some(({ audiences }) => audiences.includes(one)),
    );
    if (root && !isRequiredByHandlers) compiled.noteAudiences(root, route.audiences, route.label);
  }
  compiled.connections.set(routeClass, route);
  table.add(routeClass, new Set([handler]), route);
}

/** Only the mistakes that no handler of the gateway reports. */
function mistakesOf(
  { routeClass, root }: RegisteredController,
  route: Route,
  handlers: readonly Route[],
): string[] {
  const { label, policy, audiences } = route;
  const ofHook = isDeclared(methodDeclarationOf(routeClass, CONNECTION_HOOK))
    ? findMethodMistakes(label, policy, { routeClass, name: CONNECTION_HOOK })
    : [];
  const guarded = handlers.filter((one) => one.policy.kind === 'protected');
  if (policy.kind !== 'protected') return ofHook;
  const isServed = root?.verify !== undefined || guarded.length > 0;
  const missing = root ? MISSING_VERIFIER : MISSING_MODULE;
  const lacksAudience =
    root !== undefined && audiences.length === 0 && guarded.every((one) => one.audiences.length > 0);
  return [
    ...ofHook,
    ...(isServed ? [] : [`${label}: ${missing}`]),
    ...(lacksAudience ? [`${label}: ${audienceMistakeOf(policy)}`] : []),
  ];
}
