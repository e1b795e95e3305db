import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../../src/util/clock.js';
import { DoctorBench, messageOf, statusesOf } from './doctor.fixture.js';

let bench: DoctorBench;
let directory: string;
let tokenFile: string;

beforeEach(async () => {
  bench = await DoctorBench.start();
  directory = mkdtempSync(join(tmpdir(), 'doctor-'));
  const volume = { namespace: 'shop', serviceAccount: 'orders', path: 'billing', audience: 'billing' };
  tokenFile = (await bench.cluster.projectVolume({ ...volume, autoRotate: false })).tokenFile;
});

afterEach(async () => {
  rmSync(directory, { recursive: true });
  await bench.close();
});

async function diagnose(origin: string, file = tokenFile, clock = systemClock) {
  return bench.diagnose({ K8S_AUTH_DESTINATIONS: `${origin}=${file}` }, { clock });
}

describe('doctor --outbound', () => {
  it('proves that the destination accepts the token', async () => {
    const steps = await diagnose(await bench.serve((authorization) => (authorization ? 200 : 401)));
    expect(steps.filter(({ status }) => status !== 'ok')).toEqual([]);
    expect(messageOf(steps, 'destination-accepts')).toContain(
      'answers 401 without the token, and 200 with it',
    );
  });

  it.each([
    ['failed', 'refuses the token (401)', () => 401],
    ['failed', 'could not decide (503)', () => 503],
    ['warning', 'a rule of the route does not allow', (given?: string) => (given ? 403 : 401)],
    ['warning', 'name a protected path with --path', () => 200],
    ['warning', 'answers 404 without a token too', () => 404],
  ] as const)('reports %s: %s', async (status, message, statusFor) => {
    const steps = await diagnose(await bench.serve(statusFor));
    expect(messageOf(steps, 'destination-accepts')).toContain(message);
    expect(statusesOf(steps)['destination-accepts']).toBe(status);
  });

  it('sends the token to no other origin, even if the destination redirects', async () => {
    let received: string | undefined;
    await bench.serve((authorization) => {
      received = authorization;
      return 200;
    });
    const steps = await diagnose(await bench.serve(() => 302));
    expect(statusesOf(steps)['destination-accepts']).toBe('warning');
    expect(received).toBeUndefined();
  });

  it('says that nothing listens at the destination', async () => {
    const steps = await diagnose('http://127.0.0.1:1');
    expect(messageOf(steps, 'destination-reachable')).toContain('Nothing listens at http://127.0.0.1:1');
  });

  it('says that a name is not known', async () => {
    const steps = await diagnose('http://billing.invalid');
    expect(messageOf(steps, 'destination-reachable')).toContain('The name billing.invalid is not known');
  });

  it('tells a missing volumeMount from a wrong path in the volume', async () => {
    const origin = await bench.serve(() => 401);
    const unmounted = await diagnose(origin, join(directory, 'tokens/billing'));
    expect(messageOf(unmounted, 'destination-token')).toContain(
      `add a volumeMount with mountPath ${join(directory, 'tokens')}`,
    );
    mkdirSync(join(directory, 'tokens'));
    const misnamed = await diagnose(origin, join(directory, 'tokens/billing'));
    expect(messageOf(misnamed, 'destination-token')).toContain(
      'set the path of the serviceAccountToken source to billing',
    );
    expect(statusesOf(misnamed)['destination-accepts']).toBe('skipped');
  });

  it('refuses to send the token of the pod for the Kubernetes API', async () => {
    let received: string | undefined;
    const origin = await bench.serve((authorization) => {
      received ??= authorization;
      return 401;
    });
    const steps = await diagnose(origin, join(bench.mount, 'token'));
    expect(messageOf(steps, 'destination-token')).toContain('has a token for the Kubernetes API');
    expect(received).toBeUndefined();
  });

  it('says that the token has expired', async () => {
    const clock = { ...systemClock, wallMs: () => systemClock.wallMs() + 3 * 3_600_000 };
    const steps = await diagnose(await bench.serve(() => 401), tokenFile, clock);
    expect(messageOf(steps, 'destination-token')).toContain('expired 2 hours ago');
  });

  it('says that a file holds no JWT', async () => {
    const file = join(directory, 'password');
    writeFileSync(file, 'hunter2');
    const steps = await diagnose(await bench.serve(() => 401), file);
    expect(messageOf(steps, 'destination-token')).toContain('holds no JWT');
    expect(JSON.stringify(steps)).not.toContain('hunter2');
  });
});
