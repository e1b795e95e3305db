// Imported first by programs of this repository, so that an old Node gets one sentence and not a stack trace.
import { readFileSync } from 'node:fs';

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const minimum = engines.node.replace('>=', '');

if (isOlder(process.versions.node, minimum)) {
  console.error(`Node ${minimum} or later is required, and this is Node ${process.versions.node}.`);
  process.exit(1);
}

function isOlder(version, required) {
  const [major, minor] = version.split('.').map(Number);
  const [requiredMajor, requiredMinor] = required.split('.').map(Number);
  return major < requiredMajor || (major === requiredMajor && minor < requiredMinor);
}
