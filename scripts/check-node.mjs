// Imported first by programs of this repository, so that an old Node gets one sentence and not a stack trace. Such a
// program imports everything else only afterwards, with import(): an old Node fails at a static import before it runs this.
import { readFileSync } from 'node:fs';

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const [major, minor] = process.versions.node.split('.').map(Number);

if (!engines.node.split('||').some(includesThisNode)) {
  console.error(`Node 20.19 or 22.12 or later is required, and this is Node ${process.versions.node}.`);
  process.exit(1);
}

/** @param {string} range such as `^20.19.0` or `>=22.12.0` */
function includesThisNode(range) {
  const [, sign, requiredMajor, requiredMinor] = /(\^|>=)(\d+)\.(\d+)/.exec(range);
  if (major === Number(requiredMajor)) return minor >= Number(requiredMinor);
  return sign === '>=' && major > Number(requiredMajor);
}
