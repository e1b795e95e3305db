import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SCRIPT = join(import.meta.dirname, '../../scripts/stats.mjs');

describe('scripts/stats.mjs', () => {
  let folder: string;
  const stats = (...options: string[]) => {
    const { status, stdout } = spawnSync(process.execPath, [SCRIPT, folder, ...options], {
      encoding: 'utf8',
    });
    return { status, lines: stdout.trim().split('\n') };
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'stats-'));
    mkdirSync(join(folder, 'below'));
    const sizes = {
      'a.ts': 60,
      'below/b.ts': 70,
      'c.ts': 201,
      'c.spec.ts': 900,
      'c.fixture.ts': 1,
      'd.md': 5,
    };
    for (const [name, lines] of Object.entries(sizes)) writeFileSync(join(folder, name), 'x\n'.repeat(lines));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('prints the figures of source files, and those that are too long', () => {
    expect(stats()).toEqual({
      status: 0,
      lines: [
        'source files: 3 (within 1 to 185)',
        'median lines: 70 (within 55 to 110)',
        'max lines: 201 (outside 1 to 200)',
        `above 200 lines: ${join(folder, 'c.ts')} (201)`,
      ],
    });
  });

  it.each([
    { limits: ['--max-lines', '201'], status: 0 },
    { limits: ['--max-lines', '200'], status: 1 },
    { limits: ['--max-lines', '201', '--max-files', '2'], status: 1 },
    { limits: ['--max-lines', '201', '--min-median', '71'], status: 1 },
    { limits: ['--max-lines', '201', '--max-median', '69'], status: 1 },
  ])('exits with $status when it checks $limits', ({ limits, status }) => {
    expect(stats('--check', ...limits).status).toBe(status);
  });
});
