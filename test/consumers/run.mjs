// npm run test:consumers [-- --short] [name...]: installs the packed library into applications that the real command lines
// generate, adds the code of README.md and docs/testing.md, and runs what the generated package.json offers. Needs the
// registry. --short runs only what is quick: generate, install, build and test.
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { ROOT } from '../../scripts/demo/root.mjs';
import { CONSUMERS } from './consumers.mjs';

const STEP_MS = 5 * 60_000;
const { values, positionals } = parseArgs({
  options: { short: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const unknown = positionals.filter((name) => !CONSUMERS.some((consumer) => consumer.name === name));
if (unknown.length > 0) {
  console.error(
    `no consumer ${unknown.join(', ')}: expected ${CONSUMERS.map(({ name }) => name).join(', ')}`,
  );
  process.exit(2);
}

const folder = await mkdtemp(join(tmpdir(), 'consumers-'));
let failures = 0;
try {
  await promisify(execFile)('npm', ['pack', '--workspace', 'nest-k8s-auth', '--pack-destination', folder], {
    cwd: ROOT,
  });
  const [tarball] = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
  for (const consumer of CONSUMERS) {
    if (positionals.length > 0 && !positionals.includes(consumer.name)) continue;
    failures += await runConsumer(consumer, join(folder, tarball));
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
process.exitCode = failures > 0 ? 1 : 0;

/** @returns the number of failed steps. A consumer that cannot be generated or installed has one, and runs no more steps. */
async function runConsumer({ name, steps }, tarball) {
  const application = join(folder, name);
  let failed = 0;
  for (const step of steps) {
    if (values.short && step.isLong) continue;
    const cwd = step.isOutside ? folder : application;
    const started = process.hrtime.bigint();
    const error = step.run
      ? await step.run(application).then(
          () => undefined,
          ({ message }) => message,
        )
      : await runCommand(step.command(tarball, name), cwd);
    const seconds = Number((process.hrtime.bigint() - started) / 1_000_000_000n);
    console.log(`${name}: ${step.title}: ${error === undefined ? 'ok' : 'FAILED'} (${seconds} s)`);
    if (error === undefined) continue;
    console.log(error);
    failed++;
    if (step.isRequired) break;
  }
  return failed;
}

/** @returns the output, if the command failed */
async function runCommand([program, ...args], cwd) {
  const child = spawn(program, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: STEP_MS,
    shell: process.platform === 'win32',
    // npm sets variables for the scripts of this repository, which would change what npm does in another folder.
    env: Object.fromEntries(
      Object.entries(process.env).filter(([key]) => !/^npm_(package|lifecycle|config_)/.test(key)),
    ),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
  const code = await new Promise((resolve) => child.on('close', resolve).on('error', resolve));
  return code === 0 ? undefined : output;
}
