import { beforeAll, describe, expect, it } from '@jest/globals';
import { join } from 'node:path';
import { buildOnce } from '../integration/shutdown/application-process.fixture.js';
import { RunningProcess } from '../support/running-process.js';

interface Played {
  readonly name: string;
  readonly said: readonly string[];
}

async function play(client: 'plain' | 'ours'): Promise<Played[]> {
  const process = new RunningProcess({ args: [join(import.meta.dirname, 'survival.process.mjs'), client] });
  const code = await process.ended;
  if (code !== 0) throw new Error(`the process ended with ${code}:\n${process.text}`);
  return process.lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Played);
}

describe('a process that sends tokens', () => {
  let plain: Played[];
  let ours: Played[];

  beforeAll(async () => {
    buildOnce();
    [plain, ours] = await Promise.all([play('plain'), play('ours')]);
  }, 300_000);

  it('survives the same scenarios as a process without tokens, and observes the same', () => {
    expect(ours).toEqual(plain);
    expect(plain.length).toBeGreaterThanOrEqual(20);
  });

  it.each([
    'pipe without a listener',
    'ignored stream',
    'late listener',
    'ignored body of a 401',
    'ignored body of a 500',
    'encoded pipe without a listener',
  ])('survives a body that is cut off: %s', (name) => {
    const { said } = ours.find((played) => played.name === name) ?? { said: ['not played'] };
    expect(said.filter((line) => /ended|not played/.test(line))).toEqual([]);
  });
});
