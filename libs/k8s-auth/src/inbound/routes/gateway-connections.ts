import { type AuthorizationRule, decide } from '../../authorization/rules.js';
import { audienceKeyOf } from '../../identity/names.js';
import { type RouteClass, type RouteHandler } from './controller-class.js';
import { declaredEnforcementOf, declaredMethodEnforcementOf } from './enforcement.js';
import { type InboundRoot, policyOf, type Route, toRoute } from './route.js';

// Metadata keys of @nestjs/websockets, an optional package.
const GATEWAY = 'websockets:is_gateway';
const GATEWAY_OPTIONS = 'websockets:gateway_options';
const GATEWAY_PORT = 'port';

/** The hook that Nest calls for a new connection. Its decorators decide about the connection. @internal */
export const CONNECTION_HOOK = 'handleConnection';

/** @internal */
export function isGateway(routeClass: RouteClass): boolean {
  return Reflect.hasMetadata(GATEWAY, routeClass);
}

/** @internal */
export function isConnectionHook(name: string, routeClass: RouteClass): boolean {
  return name === CONNECTION_HOOK && isGateway(routeClass);
}

/** The options of a gateway, or of the server that Nest creates for it, that tell which clients connect to it. */
interface PlaceOptions {
  readonly path?: unknown;
  readonly namespace?: unknown;
}

/** Gateways with the same port, path and namespace share a server, and so their connections. @internal */
export function placeOf(port: unknown, { path, namespace }: PlaceOptions = {}): string {
  // The same as in Nest's SocketServerProvider. A namespace may be a regular expression.
  const isRelative = typeof namespace === 'string' && !namespace.startsWith('/');
  const name = isRelative ? `/${namespace}` : namespace;
  return [port, path || undefined, namespace ? name : undefined]
    .map((one) => (one instanceof RegExp ? String(one) : JSON.stringify(one)))
    .join(' ');
}

/** @internal */
export function placeOfGateway(routeClass: RouteClass): string {
  const options = Reflect.getMetadata(GATEWAY_OPTIONS, routeClass) as PlaceOptions | undefined;
  return placeOf(Reflect.getMetadata(GATEWAY_PORT, routeClass) ?? 0, options);
}

/** Stands for the hook of a gateway that has none, so that its connections have a route too. */
const NO_HOOK: RouteHandler = (() => {
  function handleConnection(): void {}
  return handleConnection;
})();

/** @internal */
export function connectionHandlerOf(routeClass: RouteClass): RouteHandler {
  const hook: unknown = Reflect.get(routeClass.prototype as object, CONNECTION_HOOK);
  return typeof hook === 'function' ? hook : NO_HOOK;
}

/**
 * What a gateway requires of a client that connects. The decorators of the hook decide, else those of the class. Without
 * both, a caller is accepted whom at least one protected handler accepts; and if there is none, a public handler opens the
 * connection.
 *
 * If a protected handler is not enforced, the connection is not enforced either: the handler could not pass its messages.
 * `@EnforceK8sAuth(true)` on the hook overrides this.
 * @param handlers the routes of the message handlers
 * @internal
 */
export function connectionRouteOf(
  routeClass: RouteClass,
  root: InboundRoot | undefined,
  handlers: readonly Route[],
): Route {
  const label = `${routeClass.name}.${CONNECTION_HOOK}`;
  const declared = policyOf(routeClass, CONNECTION_HOOK);
  const own = toRoute(label, declared, root, declaredEnforcementOf(routeClass, CONNECTION_HOOK));
  const guarded = handlers.filter(({ policy }) => policy.kind === 'protected');
  const isHookEnforced = declaredMethodEnforcementOf(routeClass, CONNECTION_HOOK) === true;
  const enforce = own.enforce && (isHookEnforced || guarded.every((one) => one.enforce));
  if (declared.kind !== 'undecorated') return { ...own, enforce };
  if (guarded.length > 0) {
    const audiences = [...new Set(guarded.flatMap((one) => one.audiences))];
    const rules = [ruleOfAnyHandler(guarded, audiences)];
    return { label, policy: { kind: 'protected', audience: audiences, rules }, audiences, root, enforce };
  }
  const isOpen = handlers.some(({ policy }) => policy.kind === 'public');
  return { ...own, policy: isOpen ? { kind: 'public' } : declared, enforce };
}

/** Allows a caller who may call at least one of the handlers. */
function ruleOfAnyHandler(handlers: readonly Route[], all: readonly string[]): AuthorizationRule {
  const isIssuedFor = ({ audiences }: Route, ofToken: readonly string[]) =>
    // The token was verified for one of all audiences. Only if there are others, this tells nothing about these.
    audienceKeyOf(audiences) === audienceKeyOf(all) || audiences.some((one) => ofToken.includes(one));
  return function mayCallOneHandler(principal) {
    const isAllowed = handlers.some(
      (handler) =>
        handler.policy.kind === 'protected' &&
        isIssuedFor(handler, principal.audiences) &&
        handler.policy.rules.every((rule) => decide(rule, principal).kind === 'allowed'),
    );
    return isAllowed
      ? { allowed: true }
      : { allowed: false, reason: 'no handler of the gateway accepts the caller' };
  };
}
