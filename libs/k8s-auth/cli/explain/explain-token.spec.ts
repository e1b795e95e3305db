import { createSign, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { CapturedLog } from '../../test-support/captured-log.js';
import { FakeClock, LocalCluster, type TokenOptions } from '../../testing/index.js';
import { findVerifierDefinition, type VerifierOptions } from '../../src/verifiers/index.js';
import { expectNoTokenText } from '../../testing/verifier-bench.fixture.js';
import { explainToken, type Explanation } from './explain-token.js';
import { formatExplanation } from './explanation.format.js';

let cluster: LocalCluster;
let clock: FakeClock;
let directory: string;
let apiServer: { url: string; caFile: string; tokenFile: string };

beforeEach(async () => {
  clock = new FakeClock();
  cluster = await LocalCluster.start({ clock, signingAlgorithm: 'ES256' });
  for (const name of ['orders', 'checkout']) await cluster.createServiceAccount('shop', name);
  cluster.grant('create tokenreviews', 'shop/orders');
  const mount = await cluster.writeInClusterMount({ namespace: 'shop', serviceAccount: 'orders' });
  apiServer = { url: cluster.url, caFile: cluster.caFile, tokenFile: join(mount, 'token') };
  directory = mkdtempSync(join(tmpdir(), 'explain-'));
  writeFileSync(join(directory, 'sa.pub'), cluster.publicKeysPem());
});

afterEach(async () => {
  rmSync(directory, { recursive: true });
  await cluster.close();
});

const KINDS = ['jwt-pubkey', 'oidc-discovery', 'hybrid', 'tokenreview'] as const;

function optionsOf(kind: (typeof KINDS)[number]): VerifierOptions {
  return kind === 'jwt-pubkey'
    ? { kind, issuer: cluster.issuer, publicKeyFiles: [join(directory, 'sa.pub')] }
    : { kind, apiServer };
}

function mint(more: Partial<TokenOptions> = {}): Promise<string> {
  return cluster.createToken({
    namespace: 'shop',
    serviceAccount: 'checkout',
    audiences: ['orders'],
    ...more,
  });
}

function context() {
  return { clock, log: new CapturedLog(), environment: {} };
}

function explain(token: string, kind?: (typeof KINDS)[number], audiences: readonly string[] = ['orders']) {
  return explainToken(
    { token, audiences, verifier: kind && optionsOf(kind), maxTokenBytes: 8192 },
    context(),
  );
}

function statuses({ checks }: Explanation): Record<string, string> {
  return Object.fromEntries(checks.map(({ id, status }) => [id, status]));
}

/** What the guard's verifier throws, without a recorder. */
async function verdictOfGuard(token: string, kind: (typeof KINDS)[number]): Promise<unknown> {
  const options = optionsOf(kind);
  const verifier = await findVerifierDefinition(kind)?.create(options, context());
  try {
    await verifier?.verify(token, ['orders']);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await verifier?.close();
  }
}

/** A token that the cluster did not sign, with its header and claims. */
async function forged(): Promise<string> {
  const [header = '', payload = ''] = (await mint()).split('.');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signature = createSign('sha256')
    .update(`${header}.${payload}`)
    .sign({ key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${header}.${payload}.${signature.toString('base64url')}`;
}

describe.each(KINDS)('explain with the verifier %s', (kind) => {
  it('accepts a good token and says that it is genuine', async () => {
    const explanation = await explain(await mint(), kind);
    expect(explanation.outcome).toEqual({ kind: 'accepted', status: 200 });
    expect(explanation.isGenuine).toBe(true);
    expect(statuses(explanation)).toMatchObject({
      format: 'pass',
      times: 'pass',
      audience: 'pass',
      claims: 'pass',
    });
  });

  it.each<[string, () => Promise<string>]>([
    ['issued for another audience', () => mint({ audiences: ['billing'] })],
    ['that has expired', () => mint({ claims: { exp: 1_000 } })],
    ['of another issuer', () => mint({ claims: { iss: 'https://other.test' } })],
    ['with a wrong signature', forged],
    ['without a subject', () => mint({ claims: { sub: undefined } })],
    ['that is not a JWT', () => Promise.resolve('abc.def')],
    ['without exp', () => mint({ claims: { exp: undefined } })],
  ])('gives the verdict of the guard for a token %s', async (_, make) => {
    const token = await make();
    const explanation = await explain(token, kind);
    const message = await verdictOfGuard(token, kind);
    expect(explanation.outcome).toMatchObject(
      message === undefined ? { kind: 'accepted' } : { kind: 'refused', message },
    );
    expectNoTokenText(formatExplanation(explanation), token);
    expectNoTokenText(explanation, token);
  });
});

describe('explain', () => {
  it('reports every mistake of one token', async () => {
    const token = await mint({ audiences: ['billing'], claims: { iss: 'https://other.test' } });
    const { checks, outcome } = await explain(token, 'jwt-pubkey');
    expect(
      checks
        .filter(({ status }) => status === 'fail')
        .map(({ id, expected, found }) => [id, expected, found]),
    ).toEqual([
      ['issuer', cluster.issuer, 'https://other.test'],
      ['audience', 'orders', 'billing'],
    ]);
    expect(outcome).toMatchObject({ status: 401, code: 'ERR_K8S_AUTH_TOKEN_ISSUER' });
  });

  it('says that nobody vouches for a token when no verifier is configured', async () => {
    const explanation = await explain(await mint({ audiences: ['billing'] }));
    const lines = formatExplanation(explanation);
    expect(lines[0]).toContain('decoded only, nobody vouches for this');
    expect(statuses(explanation)).toMatchObject({ signature: 'skipped', audience: 'fail' });
    expect(explanation.outcome.kind).not.toBe('accepted');
  });

  it('says that nobody vouches for a forged token', async () => {
    const explanation = await explain(await forged(), 'jwt-pubkey');
    expect(formatExplanation(explanation)[0]).toContain('nobody vouches for this');
    expect(statuses(explanation)).toMatchObject({ keys: 'pass', signature: 'fail', audience: 'pass' });
  });

  it('cannot decide while the API server is unreachable, and still checks the claims', async () => {
    const token = await mint({ audiences: ['billing'] });
    await cluster.outage();
    const explanation = await explain(token, 'oidc-discovery');
    expect(explanation.outcome).toMatchObject({ kind: 'undecided', status: 503 });
    expect(statuses(explanation)).toMatchObject({ signature: 'unknown', audience: 'fail' });
    expect(explanation.isGenuine).toBe(false);
  });

  it('reports a deleted pod as a failed review of hybrid', async () => {
    await cluster.createPod('shop', 'checkout-1', { serviceAccount: 'checkout' });
    const token = await mint({ pod: 'checkout-1' });
    await cluster.deletePod('shop', 'checkout-1');
    const explanation = await explain(token, 'hybrid');
    expect(statuses(explanation)).toMatchObject({ signature: 'pass', review: 'fail' });
    expect(explanation.outcome).toMatchObject({ status: 401, code: 'ERR_K8S_AUTH_TOKEN_REJECTED' });
  });

  it('sends no token to the API server that hybrid has refused itself', async () => {
    const token = await mint({ audiences: ['billing'] });
    const explanation = await explain(token, 'hybrid');
    expect(statuses(explanation)).toMatchObject({ audience: 'fail', review: 'skipped' });
    expect(cluster.requests.count({ endpoint: 'tokenreviews' })).toBe(0);
  });

  it('gives no verdict without an audience', async () => {
    const explanation = await explain(await mint(), 'oidc-discovery', []);
    expect(explanation.outcome.kind).toBe('undecided');
    expect(explanation.isGenuine).toBe(true);
  });

  it('refuses a token that is longer than the guard allows', async () => {
    const explanation = await explain('a'.repeat(9000), 'jwt-pubkey');
    expect(statuses(explanation)).toMatchObject({ credentials: 'fail', format: 'skipped' });
  });
});
