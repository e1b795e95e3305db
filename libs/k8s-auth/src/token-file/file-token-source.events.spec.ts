import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { inspect } from 'node:util';
import { type TokenRotatedEvent } from '../events/event-types.js';
import { K8sAuthEvents } from '../events/k8s-auth.events.js';
import { FileTokenSource } from './file-token-source.js';
import { TokenFileBench } from './token-volume.fixture.js';

let bench: TokenFileBench;
let source: FileTokenSource;
let rotated: TokenRotatedEvent[];

beforeEach(() => {
  bench = new TokenFileBench();
  const { clock, volume, log } = bench;
  const events = new K8sAuthEvents({ clock, log });
  rotated = [];
  events.subscribe({ onTokenRotated: (event) => void rotated.push(event) });
  source = new FileTokenSource({ file: volume.file, clock, log, events });
});
afterEach(() => bench.volume.remove());

async function write(lifetimeSeconds: number): Promise<string> {
  const token = await bench.mint.mint({}, lifetimeSeconds);
  bench.volume.write(token);
  return token;
}

describe('the events of FileTokenSource', () => {
  it('report that the file contains another token, and neither the first read nor an unchanged file', async () => {
    const first = await write(600);
    await source.getToken();
    await bench.clock.advance(60_000);
    await source.getToken();
    expect(rotated).toEqual([]);
    const { expiresAtMs: previousExpiresAtMs } = source.state();
    const second = await write(3_600);
    await bench.clock.advance(60_000);
    expect(await source.getToken()).toBe(second);
    const { expiresAtMs } = source.state();
    expect(rotated).toEqual([{ tokenFile: bench.volume.file, expiresAtMs, previousExpiresAtMs }]);
    for (const part of [first, second].flatMap((token) => token.split('.')))
      expect(inspect(rotated, { depth: null })).not.toContain(part);
  });

  it('do not report a file that became unusable', async () => {
    await write(600);
    await source.getToken();
    bench.volume.write('changeme');
    await bench.clock.advance(60_000);
    await source.getToken();
    expect(rotated).toEqual([]);
  });
});
