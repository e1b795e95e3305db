import { type INestApplication } from '@nestjs/common';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type OwnCluster, startOwnCluster } from '../src/api-server/own-cluster.fixture.js';
import { send } from '../test-support/inbound-app.js';
import {
  mintFor,
  startWatchedApp,
  watchedOptions,
  type WatchedVerifier,
} from '../test-support/watched-app.js';
import { K8sAuthTracingModule } from './index.js';

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

let own: OwnCluster;
let app: INestApplication | undefined;

beforeAll(() => provider.register());
afterAll(async () => {
  trace.disable();
  await provider.shutdown();
});
beforeEach(async () => {
  own = await startOwnCluster();
  exporter.reset();
});
afterEach(async () => {
  await app?.close();
  await own.close();
});

async function start(kind: WatchedVerifier): Promise<string> {
  const started = await startWatchedApp(own, watchedOptions(own, kind), [K8sAuthTracingModule]);
  app = started.app;
  return `${started.url}/orders/1`;
}

function spans(): { readonly name: string; readonly attributes: object; readonly status: object }[] {
  return exporter.getFinishedSpans().map(({ name, attributes, status }) => ({ name, attributes, status }));
}

function parentOf(span: ReadableSpan | undefined): string | undefined {
  const all = exporter.getFinishedSpans();
  return all.find((one) => one.spanContext().spanId === span?.parentSpanContext?.spanId)?.name;
}

const UNSET = { code: SpanStatusCode.UNSET };
const USER = 'system:serviceaccount:shop:checkout';

describe('K8sAuthTracingModule', () => {
  it('creates a span for the verification and for its review, with the caller and the peer', async () => {
    const url = await start('tokenreview');
    expect((await send(url, `Bearer ${await mintFor(own)}`)).status).toBe(200);
    const common = { 'k8s_auth.verifier': 'tokenreview', 'k8s_auth.outcome': 'accepted', 'enduser.id': USER };
    const peer = { 'server.address': '127.0.0.1', 'server.port': own.cluster.port };
    expect(spans()).toEqual([
      { name: 'k8s_auth.token_review', attributes: { ...common, ...peer }, status: UNSET },
      { name: 'k8s_auth.verify', attributes: common, status: UNSET },
    ]);
    expect(parentOf(exporter.getFinishedSpans()[0])).toBe('k8s_auth.verify');
  });

  it('creates no span for a verdict that is in memory', async () => {
    const url = await start('oidc-discovery');
    const token = await mintFor(own);
    for (let request = 0; request < 3; request++) await send(url, `Bearer ${token}`);
    expect(spans().map(({ name }) => name)).toEqual(['k8s_auth.verify']);
  });

  it('names the reason of a rejection, which is not an error of this service', async () => {
    const url = await start('oidc-discovery');
    await send(url, `Bearer ${await mintFor(own, 'cart')}`);
    expect(spans()).toEqual([
      {
        name: 'k8s_auth.verify',
        attributes: {
          'k8s_auth.verifier': 'oidc-discovery',
          'k8s_auth.outcome': 'rejected',
          'error.type': 'ERR_K8S_AUTH_TOKEN_AUDIENCE',
        },
        status: UNSET,
      },
    ]);
  });

  it('has the status ERROR if the verification could not decide', async () => {
    const url = await start('tokenreview');
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'status', status: 400 } });
    expect((await send(url, `Bearer ${await mintFor(own)}`)).status).toBe(503);
    const code = 'ERR_K8S_AUTH_VERIFIER_UNAVAILABLE';
    const failed = { status: { code: SpanStatusCode.ERROR, message: code } };
    expect(spans()).toMatchObject([
      { name: 'k8s_auth.token_review', attributes: { 'error.type': code }, ...failed },
      { name: 'k8s_auth.verify', attributes: { 'error.type': code }, ...failed },
    ]);
  });

  it('creates a span for the local verification and for the review of hybrid', async () => {
    const url = await start('hybrid');
    await send(url, `Bearer ${await mintFor(own)}`);
    expect(spans().map(({ name }) => name)).toEqual(['k8s_auth.verify', 'k8s_auth.token_review']);
  });

  it('contains no token text', async () => {
    const url = await start('tokenreview');
    const accepted = await mintFor(own);
    const rejected = await mintFor(own, 'cart');
    for (const token of [accepted, rejected, 'not-a-token-at-all']) await send(url, `Bearer ${token}`);
    const exported = exporter.getFinishedSpans().map(({ name, attributes, events, status, links }) => {
      return { name, attributes, events, status, links };
    });
    const text = JSON.stringify(exported);
    for (const part of [accepted, rejected].flatMap((token) => token.split('.')))
      expect(text).not.toContain(part);
    expect(text).not.toContain('not-a-token-at-all');
  });
});
