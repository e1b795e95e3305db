import { type OpenHandlers } from './startup-warnings.js';
import { type RoutedMethod } from './ineffective-decorators.js';
import { type RouteClass } from './controller-class.js';
import { type InboundRoot, type Route } from './route.js';

/** The result of the compilation of all controllers. @internal */
export class CompiledRoutes implements OpenHandlers {
  /** Each names a class or a `Class.method`, and what was expected. Startup fails if there are any. */
  readonly mistakes = new Set<string>();
  /** Root -> audience -> the routes that require it. */
  readonly audiences = new Map<InboundRoot, Map<string, string[]>>();
  readonly undecorated: RoutedMethod[] = [];
  readonly refused: string[] = [];
  readonly open: string[] = [];
  readonly unguardedReferences: string[] = [];
  readonly openLoaders: string[] = [];
  readonly unenforced: string[] = [];
  readonly connectedBeforeDecision: string[] = [];
  readonly replacing = new Set<string>();
  isAnyRouteProtected = false;
  hasResolvers = false;
  /** The packages whose exceptions report a refusal to the caller. */
  readonly exceptions = { ws: false, rpc: false };

  /** The routes of gateways whose clients connect. */
  readonly connections = new Map<RouteClass, Route>();

  /** @param label the route that requires the audiences */
  noteAudiences(root: InboundRoot, audiences: readonly string[], label: string): void {
    const byAudience = this.audiences.get(root) ?? new Map<string, string[]>();
    this.audiences.set(root, byAudience);
    for (const audience of audiences) byAudience.set(audience, [...(byAudience.get(audience) ?? []), label]);
  }

  /** @param gateways whose adapter connects a client before anything can refuse it */
  noteConnected(gateways: readonly RouteClass[]): void {
    for (const gateway of gateways) {
      const { label, policy } = this.connections.get(gateway) ?? {};
      if (label !== undefined && (policy?.kind === 'protected' || this.refused.includes(label)))
        this.connectedBeforeDecision.push(label);
    }
  }

  /** Call it after an undecorated route was added to {@link refused} or {@link open}. */
  noteEnforcement({ label, policy, enforce }: Route): void {
    const isClosed = policy.kind === 'protected' || this.refused.includes(label);
    if (isClosed && !enforce) this.unenforced.push(label);
  }
}
