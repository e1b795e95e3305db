import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createService, runService } from './service.mjs';

/** Package managers. `settings` are files that a project has which uses it in this way. */
const MANAGERS = [
  { name: 'npm', install: ['npm', 'install'], list: ['npm', 'ls', 'nest-k8s-auth'] },
  { name: 'pnpm', tool: 'pnpm@10', install: ['pnpm', 'install'], list: ['pnpm', 'ls', 'nest-k8s-auth'] },
  {
    name: 'yarn-1',
    tool: 'yarn@1',
    install: ['yarn', 'install', '--non-interactive'],
    list: ['yarn', 'check'],
  },
  yarn4('yarn-4', 'node-modules', ['node']),
  yarn4('yarn-4-pnp', 'pnp', ['yarn', 'node']),
];

/** @returns the consumers that install a service with each package manager, with and without the optional packages */
export function packageManagers() {
  return MANAGERS.flatMap((manager) =>
    [false, true].map((isComplete) => ({
      name: `${manager.name}${isComplete ? '-complete' : ''}`,
      tools: manager.tool ? [manager.tool] : [],
      env: manager.env,
      steps: [
        createService({ nest: 11, isComplete }),
        installWithoutWarnings(manager),
        { title: manager.list.join(' '), run: ({ execute }) => run(execute, manager.list) },
        runService('require', manager.node),
        runService('import', manager.node),
      ],
    })),
  );
}

function yarn4(name, nodeLinker, node) {
  return {
    name,
    tool: '@yarnpkg/cli-dist@4',
    install: ['yarn', 'install'],
    list: ['yarn', 'explain', 'peer-requirements'],
    node,
    // The integration of a service that answers CI changes the default of yarn to an installation that must not change anything.
    env: { YARN_ENABLE_IMMUTABLE_INSTALLS: 'false', YARN_ENABLE_TELEMETRY: 'false' },
    settings: { '.yarnrc.yml': `nodeLinker: ${nodeLinker}\n`, 'yarn.lock': '' },
  };
}

function installWithoutWarnings({ install, settings = {} }) {
  return {
    title: `${install.join(' ')} without warnings`,
    isRequired: true,
    run: async ({ application, execute }) => {
      for (const [name, text] of Object.entries(settings)) await writeFile(join(application, name), text);
      const warnings = warningsOf(await run(execute, install));
      if (warnings.length > 0) throw new Error(warnings.join('\n'));
    },
  };
}

const run = (execute, [program, ...args]) => execute(program, args);

/** Lines about the library: its peer dependencies, its engines, its scripts. yarn 4 numbers its warnings about peers. */
function warningsOf(output) {
  const isWarning = (line) => /warn|unmet|missing|deprecated|YN0002|YN0060|YN0086/i.test(line);
  return output.split('\n').filter((line) => isWarning(line) && line.includes('nest-k8s-auth'));
}
