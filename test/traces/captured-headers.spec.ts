import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LocalCluster } from 'nest-k8s-auth/testing';
import { buildOnce } from '../integration/shutdown/application-process.fixture.js';
import { freePort } from '../../libs/k8s-auth/test-support/free-port.js';

const SCRIPT = join(import.meta.dirname, 'captured-headers.process.mjs');
const CAPTURED = 'http.request.header.authorization';
// The numbers of SpanKind in @opentelemetry/api.
const [SERVER, CLIENT] = [1, 2];

interface PrintedSpan {
  readonly name: string;
  /** {@link SERVER} or {@link CLIENT}. */
  readonly kind: number;
  readonly scope: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

describe('instrumentation that is configured to capture the Authorization header', () => {
  let cluster: LocalCluster;
  let spans: readonly PrintedSpan[];
  let sent: string;
  let own: string;
  let origin: string;

  beforeAll(buildOnce, 300_000);
  beforeAll(async () => {
    cluster = await LocalCluster.start();
    await cluster.createServiceAccount('shop', 'orders');
    cluster.grant('create tokenreviews', 'shop/orders');
    const mount = await cluster.writeInClusterMount({ namespace: 'shop', serviceAccount: 'orders' });
    const volume = await cluster.projectVolume({
      ...{ namespace: 'shop', serviceAccount: 'orders', path: 'orders', audience: 'orders' },
    });
    const tokenFile = join(volume.directory, 'orders');
    const apiServer = { url: cluster.url, caFile: cluster.caFile, tokenFile: join(mount, 'token') };
    [sent, own] = [readFileSync(tokenFile, 'utf8'), readFileSync(apiServer.tokenFile, 'utf8')];
    origin = `http://127.0.0.1:${await freePort()}`;
    const given = JSON.stringify({ apiServer, tokenFile, origin });
    const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, given]);
    const printed = JSON.parse(stdout) as { answers: string[]; spans: PrintedSpan[] };
    if (printed.answers.join() !== 'ok,ok') throw new Error('the application has not answered its own calls');
    spans = printed.spans;
  });
  afterAll(() => cluster?.close());

  const spansTo = (kind: number, suffix: string, instrumentation = 'http') =>
    spans.filter((span) => {
      const isOfHttp =
        span.scope === `@opentelemetry/instrumentation-${instrumentation}` && span.kind === kind;
      return isOfHttp && String(span.attributes['url.full'] ?? span.attributes['url.path']).endsWith(suffix);
    });
  const capturedIn = (found: readonly PrintedSpan[]) => found.map(({ attributes }) => attributes[CAPTURED]);

  it('cannot capture the token of a call of this service, because the request of axios does not contain it', () => {
    expect(capturedIn(spansTo(CLIENT, `${origin}/`))).toEqual([undefined]);
  });

  it('captures the token of a call with fetch, whose request contains it', () => {
    expect(capturedIn(spansTo(CLIENT, '/?by=fetch', 'undici'))).toEqual([[`Bearer ${sent}`]]);
  });

  it('captures the token of a caller before any guard runs', () => {
    // One of axios, and one of fetch.
    expect(capturedIn(spansTo(SERVER, '/'))).toEqual([[`Bearer ${sent}`], [`Bearer ${sent}`]]);
  });

  it('captures the own credential of a request to the API server', () => {
    expect(capturedIn(spansTo(CLIENT, '/tokenreviews'))).toEqual([[`Bearer ${own}`]]);
  });

  it('finds no token in the spans of this library', () => {
    const ours = spans.filter(({ scope }) => scope === 'nest-k8s-auth');
    // The verdict of the second call is in memory.
    expect(ours.map(({ name }) => name)).toEqual(['k8s_auth.token_review', 'k8s_auth.verify']);
    for (const part of [sent, own].flatMap((token) => token.split('.')))
      expect(JSON.stringify(ours)).not.toContain(part);
  });
});
