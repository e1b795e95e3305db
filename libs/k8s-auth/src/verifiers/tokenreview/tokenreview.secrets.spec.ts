import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConsoleLogger, ServiceUnavailableException } from '@nestjs/common';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { expectNoTokenText } from '../../../testing/verifier-bench.fixture.js';
import { type Fault } from '../../../testing/index.js';
import { outcome, type OwnCluster, startOwnCluster } from '../../api-server/own-cluster.fixture.js';
import { VerifierUnavailableError } from '../../errors.js';
import { type Verifier } from '../verifier.js';
import { tokenreviewDefinition } from './tokenreview.definition.js';

let own: OwnCluster;
let verifier: Verifier;
let token: string;

beforeEach(async () => {
  own = await startOwnCluster();
  await own.cluster.createServiceAccount('shop', 'checkout');
  const apiServer = { url: own.cluster.url, caFile: own.cluster.caFile, tokenFile: own.tokenFile };
  verifier = await tokenreviewDefinition.create(
    { kind: 'tokenreview', apiServer, timeoutMs: 400 },
    { clock: own.clock, log: own.log, environment: {} },
  );
  token = await own.cluster.createToken({
    namespace: 'shop',
    serviceAccount: 'checkout',
    audiences: ['orders'],
  });
});

afterEach(async () => {
  jest.restoreAllMocks();
  await verifier.close();
  await own.close();
});

const verify = () => outcome((async () => verifier.verify(token, ['orders']))());

/** What Nest's own logger writes of it. */
function logged(value: unknown): string {
  let text = '';
  const write = (chunk: string | Uint8Array) => {
    text += String(chunk);
    return true;
  };
  for (const stream of [process.stdout, process.stderr])
    jest.spyOn(stream, 'write').mockImplementation(write);
  for (const options of [{}, { json: true }, { compact: true }]) {
    const logger = new ConsoleLogger('spec', options);
    logger.error(value);
    logger.log(value);
  }
  jest.restoreAllMocks();
  return text;
}

function expectNoSecret(shown: unknown): void {
  for (const secret of [token, readFileSync(own.tokenFile, 'utf8')]) {
    expectNoTokenText(shown, secret);
    expectNoTokenText(logged(shown), secret);
  }
}

// What the API server sends back repeats the token that was reviewed.
const FAULTS: Fault[] = [
  { kind: 'bad-framing' },
  { kind: 'cut' },
  { kind: 'reset' },
  { kind: 'huge' },
  { kind: 'body', body: (honest) => `x${JSON.stringify(honest)}` },
  { kind: 'body', body: (honest) => ({ ...honest, kind: 'Status' }) },
  { kind: 'status', status: 401 },
  { kind: 'status', status: 403 },
  { kind: 'status', status: 429, headers: { 'retry-after': '1' } },
  { kind: 'redirect', to: 'https://elsewhere.example/' },
];

describe('no token text', () => {
  it.each(FAULTS)('is in the error of a review that fails: %j', async (fault) => {
    own.cluster.faults.set({ on: 'tokenreviews', fault });
    const error = await verify();
    expect(error).toBeInstanceOf(VerifierUnavailableError);
    // As the guard does.
    expectNoSecret(new ServiceUnavailableException({ statusCode: 503 }, { cause: error }));
    expectNoSecret([own.log.events, verifier.readiness()]);
  });

  it('is shown when the verifier or a waiting review is inspected during a review', async () => {
    own.cluster.faults.set({ on: 'tokenreviews', fault: { kind: 'hang' } });
    verifier.start();
    const pending = verify();
    await own.cluster.requests.waitFor({ endpoint: 'tokenreviews' });
    expectNoSecret(verifier);
    await own.client.ownClaims();
    expectNoSecret([own.client, own.connection]);
    await own.clock.advance(400);
    expectNoSecret([await pending, verifier]);
  });
});

it('the causes of an error are only errors of the library and plain errors', async () => {
  await own.cluster.outage();
  const seen: unknown[] = [];
  for (let error = await verify(); error !== undefined; error = (error as Error).cause) {
    seen.push((error as Error).constructor.name);
  }
  expect(seen).toEqual(['NoAnswerError', 'PlainError']);
  expect(inspect(await verify(), { showHidden: true })).toContain('ECONNREFUSED');
});
