import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SCRIPT = join(import.meta.dirname, '../../scripts/ci-summary.mjs');

describe('scripts/ci-summary.mjs', () => {
  let directory: string;
  const path = (name: string) => join(directory, name);

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'ci-summary-'));
    const report = { numPassedTests: 3, numFailedTests: 0, numRuntimeErrorTestSuites: 0, numPendingTests: 0 };
    writeFileSync(path('good'), JSON.stringify(report));
    writeFileSync(path('skipping'), JSON.stringify({ ...report, numPendingTests: 2 }));
    writeFileSync(path('failed'), JSON.stringify({ ...report, numFailedTests: 1 }));
    writeFileSync(path('broken'), JSON.stringify({ ...report, numRuntimeErrorTestSuites: 1 }));
    writeFileSync(path('empty'), JSON.stringify({ ...report, numPassedTests: 0 }));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it.each([
    ['counts a report', '0', ['good'], '3 passed, 0 failed', 0],
    ['adds reports up', '0', ['good', 'skipping'], '6 passed, 0 failed, 2 skipped', 0],
    ['fails with a failed test', '1', ['good', 'failed'], '6 passed, 1 failed', 1],
    ['fails with a suite that could not start', '1', ['broken'], '3 passed, 1 failed', 1],
    ['fails with a failed step whose tests passed', '1', ['good'], '3 passed, 1 failed', 1],
    ['fails when no test ran', '0', ['empty'], '0 passed, 0 failed', 1],
  ])('%s', (_, failedSteps, names, line, code) => {
    const { status, stdout } = spawnSync(process.execPath, [SCRIPT, failedSteps, ...names.map(path)], {
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: code, stdout: `${line}\n` });
  });

  it('names each failed test and each suite that could not start, and prints the numbers last', () => {
    const [failing, broken] = ['failing.spec.ts', 'broken.spec.ts'].map((name) => join(process.cwd(), name));
    const testResults = [
      {
        ...{ name: failing, message: '' },
        assertionResults: [
          { status: 'failed', fullName: 'the guard refuses', failureMessages: ['expected 401'] },
          { status: 'passed', fullName: 'the guard accepts', failureMessages: [] },
        ],
      },
      { name: broken, message: 'cannot find a module', assertionResults: [] },
    ];
    const report = { numPassedTests: 1, numFailedTests: 1, numRuntimeErrorTestSuites: 1, numPendingTests: 0 };
    writeFileSync(path('detailed'), JSON.stringify({ ...report, testResults }));
    const { stdout } = spawnSync(process.execPath, [SCRIPT, '1', path('detailed')], { encoding: 'utf8' });
    expect(stdout.trimEnd().split('\n')).toEqual([
      ...['FAILED failing.spec.ts: the guard refuses', 'expected 401', ''],
      ...['FAILED broken.spec.ts', 'cannot find a module', ''],
      '1 passed, 2 failed',
    ]);
  });

  it('fails without a report', () => {
    const { status, stdout } = spawnSync(process.execPath, [SCRIPT, '1', path('none')], { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({
      status: 1,
      stdout: `${path('none')} is not a report\n0 passed, 1 failed\n`,
    });
  });
});
