// Prints "N passed, N failed" from Jest's report and exits non-zero if anything failed.
import { readFileSync } from 'node:fs';

const [report, failedSteps] = process.argv.slice(2);

function readReport() {
  try {
    return JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return undefined;
  }
}

const result = readReport();
if (!result) console.log('the tests left no report');
const passed = result?.numPassedTests ?? 0;
// A suite that could not even start has no tests to count. The failed step "tests" is already in Jest's numbers.
const failed = (result?.numFailedTests ?? 0) + (result?.numRuntimeErrorTestSuites ?? 0);
const skipped = result?.numPendingTests ?? 0;
const steps = Number(failedSteps);
console.log(
  `${passed} passed, ${Math.max(failed, steps)} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
);
process.exit(result && passed > 0 && failed === 0 && steps === 0 ? 0 : 1);
