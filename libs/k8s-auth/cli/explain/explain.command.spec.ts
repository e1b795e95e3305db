import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Environment } from '../../src/config/environment.js';
import { FakeClock, LocalCluster } from '../../testing/index.js';
import { expectNoTokenText } from '../../testing/verifier-bench.fixture.js';
import { UsageError } from '../command.js';
import { run } from './explain.command.js';

let cluster: LocalCluster;
let clock: FakeClock;
let directory: string;
let token: string;

beforeEach(async () => {
  clock = new FakeClock();
  cluster = await LocalCluster.start({ clock, signingAlgorithm: 'ES256' });
  await cluster.createServiceAccount('shop', 'checkout');
  token = await cluster.createToken({ namespace: 'shop', serviceAccount: 'checkout', audiences: ['orders'] });
  directory = mkdtempSync(join(tmpdir(), 'explain-'));
  writeFileSync(join(directory, 'sa.pub'), cluster.publicKeysPem());
});

afterEach(async () => {
  rmSync(directory, { recursive: true });
  await cluster.close();
});

function environment(more: Environment = {}): Environment {
  const files = join(directory, 'sa.pub');
  return {
    K8S_AUTH_VERIFIER: 'jwt-pubkey',
    K8S_AUTH_ISSUER: cluster.issuer,
    K8S_AUTH_PUBLIC_KEY_FILES: files,
    ...more,
  };
}

async function explain(args: readonly string[], env: Environment = environment(), stdin = '') {
  const lines: string[] = [];
  const io = {
    environment: env,
    stdin: Readable.from([stdin]),
    clock,
    write: (line: string) => void lines.push(line),
  };
  const status = await run(args, io);
  return { status, text: lines.join('\n') };
}

function fileWith(text: string): string {
  const file = join(directory, 'token');
  writeFileSync(file, text);
  return file;
}

describe('npx nest-k8s-auth explain', () => {
  it('exits with 0 for a token of a file that the guard accepts', async () => {
    const { status, text } = await explain([fileWith(`${token}\n`), '--audience', 'orders']);
    expect(text).toContain('Token of system:serviceaccount:shop:checkout (the signature is verified)');
    expect(text).toContain('Verdict: accepted');
    expect(status).toBe(0);
    expectNoTokenText(text, token);
  });

  it('reads the standard input, with a copied Authorization header', async () => {
    const { status } = await explain(
      ['-', '--audience=orders'],
      environment(),
      `Authorization: Bearer ${token}\n`,
    );
    expect(status).toBe(0);
  });

  it('uses K8S_AUTH_AUDIENCE when no audience is named', async () => {
    const { status, text } = await explain([], environment({ K8S_AUTH_AUDIENCE: 'billing' }), token);
    expect(text).toMatch(/FAIL {2}audience +expected: billing\n +found: +orders\n/);
    expect(text).toContain('Verdict: refused, 401 ERR_K8S_AUTH_TOKEN_AUDIENCE');
    expect(status).toBe(1);
  });

  it('prints one JSON document that contains no token text', async () => {
    const { text } = await explain(['--json', '--audience', 'orders'], environment(), token);
    expect(JSON.parse(text)).toMatchObject({ verifier: 'jwt-pubkey', outcome: { kind: 'accepted' } });
    expectNoTokenText(text, token);
  });

  it('only decodes without a verifier, and does not exit with 0', async () => {
    const { status, text } = await explain(['--audience', 'orders'], {}, token);
    expect(text).toContain('decoded only, nobody vouches for this');
    expect(text).toContain('set K8S_AUTH_VERIFIER');
    expect(status).toBe(1);
  });

  it.each([[['a', 'b']], [['--audiense', 'x']], [['--audience', 'a,,b']], [['/does/not/exist']]])(
    'refuses the arguments %j',
    async (args) => {
      await expect(explain(args)).rejects.toThrow(UsageError);
    },
  );

  it('names every mistake in the variables', async () => {
    const mistaken = environment({ K8S_AUTH_VERIFIER: 'jwt-pubky' });
    await expect(explain([], mistaken, token)).rejects.toThrow('K8S_AUTH_VERIFIER: expected one of');
  });

  it('prints nothing of a file that holds something else', async () => {
    const { status, text } = await explain([fileWith('password: hunter2')]);
    expect(text).not.toContain('hunter2');
    expect(status).toBe(1);
  });
});
