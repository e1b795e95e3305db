import { join } from 'node:path';
import { environment, execute } from './execute.mjs';
import { installTools, nodePackage } from './packages.mjs';

/**
 * Runs the steps of one consumer, and prints a line for each. If a required step fails, the steps after it are not run.
 * @param consumer see consumers.mjs
 * @param {{ work: string, tarball: string, isShort: boolean }} options
 * @returns {Promise<{ consumer: string, title: string, isPassed: boolean, seconds: number }[]>}
 */
export async function runConsumer({ name, node, tools = [], env, steps }, { work, tarball, isShort }) {
  const results = [];
  const application = join(work, name);
  const base = { name, work, application, tarball, env, path: [] };
  const prepare = {
    title: `install ${[node && `node ${node}`, ...tools].filter(Boolean).join(', ')}`,
    isRequired: true,
    run: async () => base.path.push(...(await toolPaths({ work, node, tools }))),
  };
  for (const step of node || tools.length > 0 ? [prepare, ...steps] : steps) {
    if (isShort && step.isLong) continue;
    const started = process.hrtime.bigint();
    const error = await step.run(contextOf(base)).then(
      () => undefined,
      ({ message }) => message,
    );
    const seconds = Number((process.hrtime.bigint() - started) / 1_000_000_000n);
    const isPassed = error === undefined;
    console.log(`${name}: ${step.title}: ${isPassed ? 'ok' : 'FAILED'} (${seconds} s)`);
    if (!isPassed) console.log(error);
    results.push({ consumer: name, title: step.title, isPassed, seconds });
    if (!isPassed && step.isRequired) break;
  }
  return results;
}

/** What a step gets: its folders, and functions that run programs with the Node of the consumer. */
function contextOf(base) {
  const { application, env, path } = base;
  const options = { cwd: application, env, path };
  return {
    ...base,
    processEnvironment: environment(options),
    execute: (program, args, cwd = application) => execute(program, args, { ...options, cwd }),
  };
}

async function toolPaths({ work, node, tools }) {
  const paths = [];
  if (tools.length > 0) paths.push(join(await installTools(work, tools), '.bin'));
  if (node) {
    const { name, version } = nodePackage(node);
    paths.unshift(join(await installTools(work, [`${name}@${version}`]), name, 'bin'));
  }
  return paths;
}
