import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { npm, npx, required } from './steps.mjs';
import { createService, expectOutput } from './service.mjs';

/** Packages that Nest itself requires only if an application uses them. */
const OPTIONAL_IN_NEST = [
  ...['@nestjs/websockets', '@nestjs/websockets/socket-module', '@nestjs/microservices'],
  ...['@nestjs/microservices/microservices-module', 'class-validator', 'class-transformer'],
];
const LOADED = ['@nestjs/common', '@nestjs/core', '@nestjs/platform-express', 'nest-k8s-auth'];

/** @returns the consumers that become one file, with and without the optional packages */
export function bundles() {
  return ['import', 'require'].flatMap((load) =>
    [false, true].map((isComplete) => ({
      name: `bundle-${load}${isComplete ? '-complete' : ''}`,
      steps: [
        createService({ nest: 11, isComplete }),
        required(npm('install')),
        required(npm('install', '--save-dev', 'esbuild', 'webpack@5', 'webpack-cli@6')),
        {
          title: 'write the entry',
          isRequired: true,
          run: (context) => writeEntry(context, load, isComplete),
        },
        npx(
          'esbuild',
          '--bundle',
          '--platform=node',
          '--outfile=bundled/esbuild.cjs',
          ...externals(),
          'main.mjs',
        ),
        runBundle('esbuild', isComplete),
        npx('webpack', '--config', 'webpack.config.cjs'),
        runBundle('webpack', isComplete),
      ],
    })),
  );
}

const externals = () => OPTIONAL_IN_NEST.map((name) => `--external:${name}`);

async function writeEntry({ application }, load, isComplete) {
  const isImport = load === 'import';
  const imports = LOADED.map((name, index) =>
    isImport ? `import * as loaded${index} from '${name}';` : `const loaded${index} = require('${name}');`,
  );
  const table = LOADED.map((name, index) => `'${name}': loaded${index}`).join(', ');
  const file = `loaded.${isImport ? 'mjs' : 'cjs'}`;
  const exported = isImport ? 'export const packages' : 'exports.packages';
  await writeFile(join(application, file), `${imports.join('\n')}\n${exported} = { ${table} };\n`);
  await writeFile(
    join(application, 'main.mjs'),
    `import { packages } from './${file}';
    import { call, receive } from './receiver.process.mjs';
    const load = (name) => packages[name];
    receive(load)${isComplete ? '.then(() => call(load, true))' : ''};\n`,
  );
  const config = {
    mode: 'development',
    devtool: false,
    target: 'node',
    entry: './main.mjs',
    externals: Object.fromEntries(OPTIONAL_IN_NEST.map((name) => [name, `commonjs ${name}`])),
  };
  const output = `{ path: require('node:path').join(__dirname, 'bundled'), filename: 'webpack.cjs' }`;
  await writeFile(
    join(application, 'webpack.config.cjs'),
    `module.exports = { ...${JSON.stringify(config)}, output: ${output} };\n`,
  );
}

function runBundle(name, isComplete) {
  return {
    title: `node bundled/${name}.cjs`,
    run: async ({ execute }) => {
      const output = await execute('node', [`bundled/${name}.cjs`]);
      expectOutput(output);
      if (isComplete && !/^started$/m.test(output))
        throw new Error(`K8sAuthHttpModule has not started:\n${output}`);
    },
  };
}
