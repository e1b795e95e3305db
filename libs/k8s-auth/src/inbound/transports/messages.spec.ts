import { afterAll, beforeAll, describe } from '@jest/globals';
import { type MicroserviceOptions, TcpContext, Transport } from '@nestjs/microservices';
import { type Broker, isInstalled, startBroker } from '../../../test-support/transports/broker.js';
import {
  inData,
  inNatsHeaders,
  messagesBench,
  packetSerializer,
} from '../../../test-support/transports/messages.bench.js';
import { describeTransport } from '../../../test-support/transports/transports.contract.js';

const isNest12 = 'getMetadata' in TcpContext.prototype;

function tcp(serializer?: object) {
  const options = { host: '127.0.0.1', port: 0 };
  const server: MicroserviceOptions = { transport: Transport.TCP, options };
  const client = { transport: Transport.TCP, options: { ...options, ...(serializer && { serializer }) } };
  return { server, client: client as MicroserviceOptions };
}

const one = { sendsOneCredential: true };
describeTransport(messagesBench('TCP', () => tcp(), inData, one));
describeTransport(
  messagesBench('TCP, inheritAppConfig', () => tcp(), inData, { ...one, inheritAppConfig: true }),
);
if (isNest12)
  describeTransport(messagesBench('TCP, metadata of the packet', () => tcp(packetSerializer), inData, one));

(isInstalled('redis-server') ? describe : describe.skip)('with a Redis server', () => {
  let broker: Broker;
  beforeAll(async () => void (broker = await startBroker('redis-server')));
  afterAll(() => broker.stop());
  const redis = (): { server: MicroserviceOptions; client: MicroserviceOptions } => {
    const options = { host: '127.0.0.1', port: broker.port };
    const both: MicroserviceOptions = { transport: Transport.REDIS, options };
    return { server: both, client: both };
  };
  describeTransport(messagesBench('Redis', redis, inData, one));
});

(isInstalled('nats-server') ? describe : describe.skip)('with a NATS server', () => {
  let broker: Broker;
  let newHeaders: () => { append(name: string, value: string): void };
  beforeAll(async () => {
    broker = await startBroker('nats-server');
    // Nest 11 uses another package than Nest 12.
    ({ headers: newHeaders } = isNest12 ? await import('@nats-io/transport-node') : await import('nats'));
  });
  afterAll(() => broker.stop());
  const nats = (): { server: MicroserviceOptions; client: MicroserviceOptions } => {
    const options = { servers: [`nats://127.0.0.1:${broker.port}`] };
    const both: MicroserviceOptions = { transport: Transport.NATS, options };
    return { server: both, client: both };
  };
  describeTransport(messagesBench('NATS', nats, (credentials) => inNatsHeaders(newHeaders)(credentials)));
});
