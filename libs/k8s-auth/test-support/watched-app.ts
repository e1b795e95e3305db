import { Controller, Get, type INestApplication, type ModuleMetadata } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { type OwnCluster } from '../src/api-server/own-cluster.fixture.js';
import { allowServiceAccounts } from '../src/authorization/rules.js';
import { K8S_AUTH_CLOCK, K8sAuth, K8sAuthModule, type K8sAuthOptions } from '../src/index.js';

@Controller('orders')
class OrdersController {
  @Get(':id') @K8sAuth('orders') find(): string {
    return 'ok';
  }
  @Get(':id/lines') @K8sAuth('orders', allowServiceAccounts('shop/admin')) lines(): string {
    return 'ok';
  }
}

export type WatchedVerifier = 'tokenreview' | 'hybrid' | 'oidc-discovery';

/** The options of a verifier that uses the API server of the cluster. */
export function watchedOptions({ cluster, tokenFile }: OwnCluster, kind: WatchedVerifier): K8sAuthOptions {
  return { verifier: { kind, apiServer: { url: cluster.url, caFile: cluster.caFile, tokenFile } } };
}

/** A real application on a loopback socket, with the clock of the cluster. */
export async function startWatchedApp(
  { clock }: Pick<OwnCluster, 'clock'>,
  options: K8sAuthOptions,
  imports: NonNullable<ModuleMetadata['imports']>,
): Promise<{ readonly app: INestApplication; readonly url: string }> {
  const module = await Test.createTestingModule({
    imports: [K8sAuthModule.forRoot(options), ...imports],
    controllers: [OrdersController],
  })
    .overrideProvider(K8S_AUTH_CLOCK)
    .useValue(clock)
    .compile();
  const app = module.createNestApplication({ logger: false });
  await app.listen(0, '127.0.0.1');
  return { app, url: await app.getUrl() };
}

/** A token of the ServiceAccount `shop/checkout`, for the service `orders`. */
export async function mintFor({ cluster }: OwnCluster, audience = 'orders'): Promise<string> {
  await cluster.createServiceAccount('shop', 'checkout');
  return cluster.createToken({ namespace: 'shop', serviceAccount: 'checkout', audiences: [audience] });
}
