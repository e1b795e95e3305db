import { join } from 'node:path';
import { FakeClock, LocalCluster } from '../../testing/index.js';
import { CapturedLog } from '../../test-support/captured-log.js';
import { ApiServerClient } from './api-server.client.js';
import { type ApiServerConnection, requireApiServer } from './api-server.connection.js';

export { CapturedLog };

/** A cluster with a pod `shop/orders-1`. Specs call with its credential: its ServiceAccount may create TokenReviews. */
export interface OwnCluster {
  readonly cluster: LocalCluster;
  readonly clock: FakeClock;
  readonly log: CapturedLog;
  readonly tokenFile: string;
  readonly connection: ApiServerConnection;
  readonly client: ApiServerClient;
  /** The number of waits before a retry that the client has begun. */
  waits(): number;
  /** Writes the token of a new pod to the same file, as after a restart. */
  replaceOwnToken(): Promise<void>;
  close(): Promise<void>;
}

export const OWN_ACCOUNT = 'shop/orders';

export async function startOwnCluster(): Promise<OwnCluster> {
  const clock = new FakeClock();
  const log = new CapturedLog();
  const cluster = await LocalCluster.start({ clock, signingAlgorithm: 'ES256' });
  await cluster.createServiceAccount('shop', 'orders');
  await cluster.createPod('shop', 'orders-1', { serviceAccount: 'orders' });
  cluster.grant('create tokenreviews', OWN_ACCOUNT);
  const pod = { namespace: 'shop', serviceAccount: 'orders' };
  const directory = await cluster.writeInClusterMount({ ...pod, pod: 'orders-1' });
  const tokenFile = join(directory, 'token');
  const options = { url: cluster.url, caFile: cluster.caFile, tokenFile };
  const connection = await requireApiServer(options, { clock, log, environment: {}, podRoot: directory });
  let waits = 0;
  const random = () => {
    waits++;
    return 0;
  };
  const client = new ApiServerClient(connection, { clock, log, random });
  let restarts = 1;
  return {
    cluster,
    clock,
    log,
    tokenFile,
    connection,
    client,
    waits: () => waits,
    async replaceOwnToken() {
      const name = `orders-${++restarts}`;
      await cluster.createPod('shop', name, { serviceAccount: 'orders' });
      await cluster.writeInClusterMount({ ...pod, pod: name, directory });
    },
    async close() {
      await client.close();
      await cluster.close();
    },
  };
}

/** The value or the error of a promise, so that no rejection is unhandled while a spec advances the clock. */
export function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => error);
}
