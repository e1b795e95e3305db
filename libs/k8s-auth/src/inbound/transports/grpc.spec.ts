import { afterEach, describe, expect, it } from '@jest/globals';
import { type ServiceError } from '@grpc/grpc-js';
import {
  grpcBench,
  type GrpcBench,
  metadataWith,
  startGrpc,
  watches,
} from '../../../test-support/transports/grpc.bench.js';
import { TOKEN_LIFETIME_MS } from '../../../test-support/transports/transport-bench.js';
import { until } from '../../../test-support/until.js';
import { describeTransport } from '../../../test-support/transports/transports.contract.js';

for (const inheritAppConfig of [true, false]) describeTransport(grpcBench(inheritAppConfig));

describe('gRPC', () => {
  let running: GrpcBench | undefined;
  afterEach(() => running?.bench.close());

  it('tells clients when to retry, in a form that their own retries use', async () => {
    running = await startGrpc({});
    const { client } = running;
    const error = await new Promise<ServiceError | null>((resolve) =>
      client['whoami']?.({}, metadataWith(['Bearer outage']), resolve),
    );
    expect(error?.metadata.getMap()).toMatchObject({ 'retry-after': '3', 'grpc-retry-pushback-ms': '3000' });
  });

  it('ends a stream when the token expires', async () => {
    running = await startGrpc({});
    const { bench, client } = running;
    const watch = client['watch'] as unknown as (question: object, metadata: object) => NodeJS.ReadableStream;
    const stream = watch.call(client, {}, metadataWith(['Bearer checkout']));
    const ended = new Promise<ServiceError>((resolve) => stream.once('error', resolve));
    await new Promise((resolve) => stream.once('data', resolve));
    await bench.clock.advance(TOKEN_LIFETIME_MS);
    expect(await ended).toMatchObject({ code: 16 });
    await until(() => watches.ended === 1);
  });
});
