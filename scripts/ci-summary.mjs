// Prints what failed, then "N passed, N failed" from Jest's reports, and exits non-zero if anything failed.
//   node scripts/ci-summary.mjs FAILED_STEPS REPORT...
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [failedSteps, ...files] = process.argv.slice(2);
const steps = Number(failedSteps);
const reports = files.flatMap(readReport);

function readReport(file) {
  try {
    return [JSON.parse(readFileSync(file, 'utf8'))];
  } catch {
    console.log(`${file} is not a report`);
    return [];
  }
}

function total(count) {
  return reports.reduce((sum, report) => sum + report[count], 0);
}

// Here as well, because the end of a long log may be all that is kept.
for (const { name, message, assertionResults } of reports.flatMap(({ testResults = [] }) => testResults)) {
  const suite = relative(process.cwd(), name);
  const failures = assertionResults.filter(({ status }) => status === 'failed');
  for (const { fullName, failureMessages } of failures)
    console.log(`FAILED ${suite}: ${fullName}\n${failureMessages.join('\n')}\n`);
  if (failures.length === 0 && assertionResults.length === 0 && message)
    console.log(`FAILED ${suite}\n${message}\n`);
}

const passed = total('numPassedTests');
// A suite that could not start has no tests, so it is counted itself. A failed step may already be included in Jest's
// numbers.
const failed = total('numFailedTests') + total('numRuntimeErrorTestSuites');
const skipped = total('numPendingTests');
console.log(
  `${passed} passed, ${Math.max(failed, steps)} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`,
);
process.exit(reports.length > 0 && passed > 0 && failed === 0 && steps === 0 ? 0 : 1);
