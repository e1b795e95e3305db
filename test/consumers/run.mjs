// npm run test:consumers [-- --short] [--if-possible] [--node VERSION] [--folder DIR] [--tarball FILE]
// [name...]: installs the packed library into applications that the real command lines generate, adds the code of README.md
// and docs/testing.md, and runs what the generated package.json offers. Needs a package registry.
//   --short        only what is quick: the consumers of SHORT, without their long steps
//   --if-possible  says "not run" and succeeds, if no registry is reachable
//   --node         runs the chosen consumers with this version of Node
//   --folder       keeps the applications in this folder, which must not exist yet
//   --tarball      this packed library, instead of a new one
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CONSUMERS, SHORT } from './consumers.mjs';
import { isRegistryReachable, packLibrary } from './packages.mjs';
import { runConsumer } from './run-consumer.mjs';

const { values, positionals } = parseArgs({
  options: {
    short: { type: 'boolean', default: false },
    'if-possible': { type: 'boolean', default: false },
    node: { type: 'string' },
    folder: { type: 'string' },
    tarball: { type: 'string' },
  },
  allowPositionals: true,
});
const names = CONSUMERS.map(({ name }) => name);
const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  console.error(`no consumer ${unknown.join(', ')}: expected ${names.join(', ')}`);
  process.exit(2);
}
if (!(await isRegistryReachable())) {
  console.log('consumers: not run, because no package registry is reachable');
  process.exit(values['if-possible'] ? 0 : 1);
}

const chosen = positionals.length > 0 ? positionals : values.short ? SHORT : names;
const work = values.folder ? resolve(values.folder) : await mkdtemp(join(tmpdir(), 'consumers-'));
const results = [];
try {
  await mkdir(work, { recursive: values.folder === undefined });
  const tarball = values.tarball ? resolve(values.tarball) : await packLibrary(work);
  for (const consumer of CONSUMERS.filter(({ name }) => chosen.includes(name))) {
    const { node = consumer.node, short: isShort } = values;
    results.push(...(await runConsumer({ ...consumer, node }, { work, tarball, isShort })));
  }
} finally {
  if (!values.folder) await rm(work, { recursive: true, force: true });
}
const failed = results.filter(({ isPassed }) => !isPassed);
console.log(`consumers: ${results.length - failed.length} steps passed, ${failed.length} failed`);
for (const { consumer, title } of failed) console.log(`  ${consumer}: ${title}`);
process.exitCode = failed.length > 0 ? 1 : 0;
