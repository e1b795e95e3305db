import { type AddressInfo, type Server } from 'node:net';
import { Controller, type INestMicroservice, UseInterceptors } from '@nestjs/common';
import {
  type ClientProxy,
  ClientProxyFactory,
  Ctx,
  MessagePattern,
  type MicroserviceOptions,
  NatsRecordBuilder,
  Payload,
  Transport,
} from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import { allowServiceAccounts } from '../../src/authorization/rules.js';
import { Caller, K8sAuth, Public } from '../../src/inbound/k8s-auth.decorators.js';
import { PrincipalInterceptor } from './principal.interceptor.js';
import { startBench } from './start-bench.js';
import { type Answer, type HandlerName, type TransportBench } from './transport-bench.js';

/** The handlers of all message transports. */
@Controller()
@UseInterceptors(PrincipalInterceptor)
class Messages {
  @MessagePattern('whoami') @K8sAuth('orders') whoami(@Caller('username') username: string) {
    return username;
  }
  @MessagePattern('admin') @K8sAuth('orders', allowServiceAccounts('shop/admin')) admin() {
    return 'admin';
  }
  @MessagePattern('open') @Public() open(@Caller('username') username?: string) {
    return username ?? 'nobody';
  }
  @MessagePattern('plain') plain() {
    return 'plain';
  }
  @MessagePattern('leak') @K8sAuth('orders') leak(@Payload() data: unknown, @Ctx() context: MessageContext) {
    const headers = context.getHeaders?.();
    const ofHeaders = headers?.keys().map((name) => headers.values(name));
    return JSON.stringify([data, context.getMetadata?.(), ofHeaders]);
  }
}

interface MessageContext {
  getMetadata?(): unknown;
  getHeaders?(): { keys(): string[]; values(name: string): string[] };
}

interface Refused {
  readonly code: string;
  readonly retryAfterSeconds?: number;
}

/** How a client puts credentials into a message. */
type Carrier = (credentials: readonly string[]) => unknown;

/** @param options of the server and of the client; a port 0 of the client is replaced by the port of the server */
export function messagesBench(
  name: string,
  options: () => { readonly server: MicroserviceOptions; readonly client: MicroserviceOptions },
  carry: Carrier,
  { inheritAppConfig = false, sendsOneCredential = false } = {},
): TransportBench {
  return {
    name,
    sendsOneCredential,
    async start(setup = {}) {
      const { server, client: ofClient } = options();
      let microservice: INestMicroservice | undefined;
      const bench = await startBench(
        setup,
        { controllers: [Messages] },
        {
          prepare: async (app) => {
            microservice = app.connectMicroservice(server, { inheritAppConfig });
            await app.startAllMicroservices();
          },
        },
      );
      const toServer = { ...ofClient, options: { ...ofClient.options, ...portOf(ofClient, microservice) } };
      const client: ClientProxy = ClientProxyFactory.create(toServer as { transport: Transport.TCP });
      await client.connect();
      const call = (handler: HandlerName, ...credentials: string[]): Promise<Answer> =>
        firstValueFrom(client.send<string>(handler, carry(credentials))).then(
          (data) => ({ data }),
          (error: Refused) => ({ code: error.code, body: error, retryAfterSeconds: error.retryAfterSeconds }),
        );
      const close = async () => {
        await client.close();
        await bench.close();
      };
      return { ...bench, call, close };
    },
  };
}

function portOf({ options }: MicroserviceOptions, server: INestMicroservice | undefined): object {
  if ((options as { port?: number }).port !== 0) return {};
  return { port: (server?.unwrap<Server>().address() as AddressInfo).port };
}

/** The credentials in the field `metadata` of the data. */
export const inData: Carrier = ([authorization]) => ({
  amount: 1,
  ...(authorization !== undefined && { metadata: { authorization } }),
});

/** The credentials in headers of NATS. @param newHeaders of the installed client package */
export const inNatsHeaders =
  (newHeaders: () => { append(name: string, value: string): void }): Carrier =>
  (credentials) => {
    const headers = newHeaders();
    for (const one of credentials) headers.append('Authorization', one);
    return new NatsRecordBuilder({ amount: 1 }).setHeaders(headers).build();
  };

/** The credentials in the metadata of the packet (Nest 12): the client's serializer moves them out of the data. */
export const packetSerializer = {
  serialize({ data, ...packet }: { data: { metadata?: object } }): object {
    const { metadata, ...rest } = data;
    return { ...packet, data: rest, ...(metadata && { metadata }) };
  },
};
