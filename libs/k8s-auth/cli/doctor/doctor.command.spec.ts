import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Environment } from '../../src/config/environment.js';
import { systemClock } from '../../src/util/clock.js';
import { UsageError } from '../command.js';
import { run } from './doctor.command.js';
import { DoctorBench } from './doctor.fixture.js';

let bench: DoctorBench;

beforeEach(async () => {
  bench = await DoctorBench.start();
});

afterEach(() => bench.close());

async function doctor(args: readonly string[], environment: Environment, stdin = '') {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const status = await run(args, { environment, clock: systemClock, stdin: Readable.from([stdin]), write });
  return { status, text: lines.join('\n') };
}

const MANIFEST = `
kind: Pod
metadata: { name: orders }
spec: { containers: [{ name: app, env: [{ name: K8S_AUTH_VERIFIER, value: oidc-discovery }] }] }
`;

describe('npx nest-k8s-auth doctor', () => {
  it('exits with 0 if nothing failed', async () => {
    const { status, text } = await doctor(['--inbound'], bench.environment('oidc-discovery'));
    expect(text).toMatch(/nothing failed, 0 warnings\.$/);
    expect(status).toBe(0);
  });

  it('exits with 1 if a step failed, and ends with the URL of the explanation', async () => {
    const { status, text } = await doctor([], bench.environment('tokenreview'));
    expect(text).toMatch(
      /^FAIL {2}right-tokenreviews .*\[https:\/\/\S+\/docs\/doctor\.md#right-tokenreviews\]$/m,
    );
    expect(status).toBe(1);
  });

  it('prints the steps as JSON', async () => {
    const { text } = await doctor(['--json'], bench.environment('tokenreview'));
    const { steps } = JSON.parse(text) as { steps: { id: string; status: string }[] };
    expect(steps).toContainEqual(expect.objectContaining({ id: 'right-tokenreviews', status: 'failed' }));
  });

  it('checks manifests and exported routes', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'doctor-'));
    const file = join(directory, 'routes.json');
    writeFileSync(file, '{"routes": [{"route": "A.a", "access": "protected", "audiences": ["orders"]}]}');
    const args = ['--manifests', '-', '--namespace', 'shop', '--routes', `orders=${file}`];
    const { status, text } = await doctor(args, {}, MANIFEST);
    expect(text).toContain('Pod shop/orders, container app: The variables are valid.');
    expect(status).toBe(0);
    writeFileSync(file, 'not JSON');
    await expect(doctor(args, {}, MANIFEST)).rejects.toThrow('is not a file of npx nest-k8s-auth routes');
    rmSync(directory, { recursive: true });
  });

  it.each([
    [['--inbound', '--outbound']],
    [['--path', 'orders']],
    [['--path', '//other.test/']],
    [['--path', '/\\other.test/']],
    [['--path', '/\t/other.test/']],
    [['--inbuond']],
    [['--routes', 'orders=a.json']],
    [['--manifests', '/does/not/exist']],
  ])('refuses the arguments %j', async (args) => {
    await expect(doctor(args, bench.environment('oidc-discovery'))).rejects.toThrow(UsageError);
  });
});
