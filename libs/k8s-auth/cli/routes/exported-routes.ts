import { type INestApplicationContext } from '@nestjs/common';
import { K8S_AUTH_INBOUND_ROOT } from '../../src/inbound/inbound.constants.js';
import { type InboundRoot } from '../../src/inbound/routes/route.js';
import { RouteTable } from '../../src/inbound/routes/route-table.js';

/** One route, as startup has compiled it. */
export interface ExportedRoute {
  /** `OrdersController.list` */
  readonly route: string;
  readonly access: 'protected' | 'public' | 'undecorated';
  /** A token for any of these is accepted. Empty for routes that need no token. */
  readonly audiences: readonly string[];
}

/** What `npx nest-k8s-auth routes` prints, and `doctor --routes` reads. */
export interface ExportedRoutes {
  readonly routes: readonly ExportedRoute[];
}

/**
 * The routes of an application that has been initialized, sorted by name.
 * @throws {Error} no module imports K8sAuthModule
 */
export function exportRoutes(app: INestApplicationContext): ExportedRoutes {
  const root = app.get<InboundRoot>(K8S_AUTH_INBOUND_ROOT, { strict: false });
  const routes = root.routes instanceof RouteTable ? root.routes.list() : [];
  const exported = routes.map(({ label, policy, audiences }): ExportedRoute => ({
    route: label,
    access: policy.kind,
    audiences,
  }));
  return { routes: exported.sort((one, other) => one.route.localeCompare(other.route)) };
}
