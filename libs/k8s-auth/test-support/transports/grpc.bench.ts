import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Client,
  credentials as channel,
  loadPackageDefinition,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { Controller, UseInterceptors } from '@nestjs/common';
import { Ctx, GrpcMethod, type MicroserviceOptions, Transport } from '@nestjs/microservices';
import { finalize, NEVER, type Observable, startWith } from 'rxjs';
import { allowServiceAccounts } from '../../src/authorization/rules.js';
import { Caller, K8sAuth, Public } from '../../src/inbound/k8s-auth.decorators.js';
import { PrincipalInterceptor } from './principal.interceptor.js';
import { startBench } from './start-bench.js';
import { type Answer, type BenchSetup, type HandlerName, type TransportBench } from './transport-bench.js';

const PROTO = fileURLToPath(new URL('orders.proto', import.meta.url));

/** How many streams the server has ended. */
export const watches = { ended: 0 };

@Controller()
@UseInterceptors(PrincipalInterceptor)
class Orders {
  @GrpcMethod('Orders', 'Whoami') @K8sAuth('orders') whoami(
    _data: unknown,
    @Ctx() _metadata: Metadata,
    @Caller('username') username: string,
  ) {
    return { data: username };
  }
  @GrpcMethod('Orders', 'Admin') @K8sAuth('orders', allowServiceAccounts('shop/admin')) admin() {
    return { data: 'admin' };
  }
  @GrpcMethod('Orders', 'Open') @Public() open(
    _data: unknown,
    @Ctx() _metadata: Metadata,
    @Caller('username') username?: string,
  ) {
    return { data: username ?? 'nobody' };
  }
  @GrpcMethod('Orders', 'Plain') plain() {
    return { data: 'plain' };
  }
  @GrpcMethod('Orders', 'Leak') @K8sAuth('orders') leak(_data: unknown, metadata: Metadata) {
    return { data: JSON.stringify(metadata.getMap()) };
  }
  @GrpcMethod('Orders', 'Watch') @K8sAuth('orders') watch(): Observable<{ data: string }> {
    return NEVER.pipe(
      startWith({ data: 'first' }),
      finalize(() => void watches.ended++),
    );
  }
}

type Method = (
  question: object,
  metadata: Metadata,
  callback: (error: ServiceError | null, reply: { data: string }) => void,
) => void;

export interface GrpcBench {
  readonly client: Client & Record<string, Method>;
  readonly bench: Awaited<ReturnType<typeof startBench>>;
}

/** An HTTP application that also serves gRPC. */
export async function startGrpc(setup: BenchSetup): Promise<GrpcBench> {
  // A server of gRPC does not tell which port it got.
  const folder = mkdtempSync(join(tmpdir(), 'grpc-'));
  const url = `unix:${join(folder, 'socket')}`;
  const bench = await startBench(
    setup,
    { controllers: [Orders] },
    {
      prepare: async (app) => {
        app.connectMicroservice<MicroserviceOptions>(
          { transport: Transport.GRPC, options: { package: 'orders', protoPath: PROTO, url } },
          { inheritAppConfig: setup.inheritAppConfig === true },
        );
        await app.startAllMicroservices();
      },
    },
  );
  const { orders } = loadPackageDefinition(loadSync(PROTO)) as unknown as {
    orders: { Orders: new (url: string, credentials: object) => GrpcBench['client'] };
  };
  const client = new orders.Orders(url, channel.createInsecure());
  const close = async () => {
    client.close();
    await bench.close();
    rmSync(folder, { recursive: true });
  };
  return { client, bench: { ...bench, close } };
}

export function metadataWith(credentials: readonly string[]): Metadata {
  const metadata = new Metadata();
  for (const one of credentials) metadata.add('authorization', one);
  return metadata;
}

const CODES: Readonly<Record<number, string>> = {
  16: 'UNAUTHENTICATED',
  7: 'FORBIDDEN',
  14: 'SERVICE_UNAVAILABLE',
};

export const grpcBench = (inheritAppConfig: boolean): TransportBench => ({
  name: `gRPC, inheritAppConfig: ${inheritAppConfig}`,
  // Node's HTTP/2 refuses to send the header twice.
  sendsOneCredential: true,
  async start(setup = {}) {
    const { bench, client } = await startGrpc({ inheritAppConfig, ...setup });
    const call = (handler: HandlerName, ...credentials: string[]) =>
      new Promise<Answer>((resolve) => {
        const metadata = metadataWith(credentials);
        client[handler]?.({}, metadata, (error, reply) => resolve(error ? toRefusal(error) : reply));
      });
    return { ...bench, call };
  },
});

function toRefusal({ code, details, metadata }: ServiceError): Answer {
  const [retryAfter] = metadata.get('retry-after');
  return {
    code: CODES[code] ?? String(code),
    body: { code, details },
    retryAfterSeconds: retryAfter === undefined ? undefined : Number(retryAfter),
  };
}
