import { type INestApplicationContext } from '@nestjs/common';
import { type CheckedOptions, type K8sAuthOptions } from '../../src/config/options.js';
import { K8S_AUTH_INBOUND_ROOT } from '../../src/inbound/inbound.constants.js';
import { type InboundRoot } from '../../src/inbound/routes/route.js';
import { type RouteTable } from '../../src/inbound/routes/route-table.js';
import { K8S_AUTH_CHECKED_OPTIONS } from '../../src/k8s-auth.providers.js';

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
  /** What the application has configured, for manifests without variables of the library. */
  readonly options?: Pick<K8sAuthOptions, 'verifier' | 'audience' | 'destinations'>;
}

/**
 * The routes of an application that has been initialized, sorted by name.
 * @throws {Error} no module imports K8sAuthModule
 */
export function exportRoutes(app: INestApplicationContext): ExportedRoutes {
  const root = app.get<InboundRoot>(K8S_AUTH_INBOUND_ROOT, { strict: false });
  const { options } = app.get<CheckedOptions>(K8S_AUTH_CHECKED_OPTIONS, { strict: false });
  const { verifier, audience, destinations } = options;
  // Not `instanceof`: the application may use another build of the library than this command.
  const routes = (root.routes as Partial<Pick<RouteTable, 'list'>>).list?.() ?? [];
  const exported = routes.map(({ label, policy, audiences }): ExportedRoute => ({
    route: label,
    access: policy.kind,
    audiences,
  }));
  return {
    routes: exported.sort((one, other) => one.route.localeCompare(other.route)),
    options: {
      ...(verifier && { verifier }),
      ...(audience !== undefined && { audience }),
      ...(destinations && { destinations }),
    },
  };
}
