import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout } from 'node:timers/promises';
import { Cluster, isLong } from './support/cluster.fixture.js';
import { Deployment, type Overlay } from './support/deployment.fixture.js';
import { measured } from './support/measured.fixture.js';

const OVERLAYS = [
  'tokenreview',
  'jwt-pubkey',
  'oidc-discovery',
  'hybrid',
] as const satisfies readonly Overlay[];
const TOKEN_FILE = '/var/run/secrets/tokens/service2';
const CALLS_PER_SECOND = 5;

/** A token as service1's own file held it. */
interface FileToken {
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
}

/**
 * The tokens in the file before and after the kubelet wrote it, and the time of the write in seconds since the epoch.
 */
interface Rotation {
  readonly old: FileToken;
  readonly next: FileToken;
  readonly at: number;
}

// Ends when the file holds another token.
const UNTIL_ROTATED = `
const { readFileSync } = require('node:fs');
const read = () => {
  const claims = readFileSync(process.argv[1], 'utf8').split('.')[1];
  const { jti, iat, exp } = JSON.parse(Buffer.from(claims, 'base64url'));
  return { jti, iat, exp };
};
const old = read();
setInterval(() => {
  const next = read();
  if (next.jti === old.jti) return;
  console.log(JSON.stringify({ old, next, at: Date.now() / 1000 }));
  process.exit();
}, 100);
`;

/** One line of service1: time, outcome and token of a call. */
interface Call {
  readonly at: number;
  readonly line: string;
  readonly credentialId: string | undefined;
}

/** The calls of one client, all of them. */
async function callsOf(deployment: Deployment, client: string): Promise<Call[]> {
  const log = await deployment.log(client, '--timestamps');
  return log
    .split('\n')
    .filter((line) => line.includes('target='))
    .map((line) => ({
      at: Date.parse(line.slice(0, line.indexOf(' '))) / 1000,
      line,
      credentialId: /"credentialId":"JTI=([^"]+)"/.exec(line)?.[1],
    }));
}

const describeIfLong = isLong ? describe : describe.skip;
const why = isLong ? '' : ' (takes 11 minutes: only with --long)';

describeIfLong(`service1 calls service2 five times a second with a token of 600 s${why}`, () => {
  const seen = new Map<Overlay, { readonly rotation: Rotation; readonly calls: readonly Call[] }>();
  let deployment: Deployment;

  const of = (overlay: Overlay) => {
    const found = seen.get(overlay);
    if (found === undefined) throw new Error(`no calls were recorded for ${overlay}`);
    return found;
  };

  async function witness(overlay: Overlay): Promise<void> {
    const client = overlay === OVERLAYS[0] ? 'service1' : `service1-${overlay}`;
    await deployment.set(client, {
      TARGET_URL: `http://${client.replace('service1', 'service2')}.mytest.svc/whoami`,
      INTERVAL_MS: String(1000 / CALLS_PER_SECOND),
    });
    const program = ['node', '-e', UNTIL_ROTATED, TOKEN_FILE];
    const found = await deployment.kubectl('exec', `deployment/${client}`, '--', ...program);
    const rotation = JSON.parse(found) as Rotation;
    // Until the old token has expired, including every clock tolerance.
    await setTimeout(Math.max(0, (rotation.old.exp + 35) * 1000 - Date.now()));
    seen.set(overlay, { rotation, calls: await callsOf(deployment, client) });
  }

  beforeAll(async () => {
    deployment = await Deployment.of(Cluster.given(), OVERLAYS[0]);
    for (const overlay of OVERLAYS.slice(1)) await deployment.beside(overlay);
    await Promise.all(OVERLAYS.map(witness));
  }, 15 * 60_000);

  afterAll(() => deployment?.remove(), 120_000);

  describe.each(OVERLAYS)(
    'while the kubelet replaces that token, and service2 verifies with %s',
    (overlay) => {
      it('no call fails', () => {
        const { calls } = of(overlay);
        expect(calls.filter(({ line }) => !line.includes('status=200')).map(({ line }) => line)).toEqual([]);
        const seconds = (calls.at(-1)?.at ?? 0) - (calls[0]?.at ?? 0);
        measured(`${overlay}: ${calls.length} calls, without a failure, in`, seconds * 1000);
        expect(seconds).toBeGreaterThan(600);
        expect(calls.length / seconds).toBeGreaterThan(0.8 * CALLS_PER_SECOND);
      });

      it("the kubelet replaces the file at about 80 % of the token's life, and calls use the new token before the old one expires", () => {
        const { rotation, calls } = of(overlay);
        const { old, next } = rotation;
        const firstWithNext = calls.find(({ credentialId }) => credentialId === next.jti);
        const fileAge = rotation.at - old.iat;
        const wireAge = (firstWithNext?.at ?? Infinity) - old.iat;
        measured(`${overlay}: the file is replaced when its token is as old as`, fileAge * 1000);
        measured(`${overlay}: calls carry the new token when the old one is as old as`, wireAge * 1000);
        // Minus the 10 s by which kubelets spread their requests.
        expect(fileAge).toBeGreaterThan(0.8 * 600 - 15);
        expect(wireAge).toBeGreaterThanOrEqual(fileAge - 1);
        expect(wireAge).toBeLessThan(old.exp - old.iat);
      });

      it('calls carry the old token, then the new one, and never the old one again', () => {
        const { rotation, calls } = of(overlay);
        const credentials = calls.map(({ credentialId }) => credentialId);
        const changes = credentials.filter((credentialId, i) => credentialId !== credentials[i - 1]);
        expect(changes).toEqual([rotation.old.jti, rotation.next.jti]);
      });
    },
  );
});
