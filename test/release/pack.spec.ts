import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../support/running-process.js';
import { bundle, run } from './application.fixture.js';

const execute = promisify(execFile);
const PACK_MS = 120_000;
const COPIED = ['libs', 'scripts', 'package.json', 'tsconfig.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];

/** A copy of what a pack is made from, because sources are changed here while other tests read them. */
const copy = mkdtempSync(join(tmpdir(), 'pack-'));
const library = join(copy, 'libs/k8s-auth');
const unpacked = (path: string) => join(copy, 'package', path);

/** Packs, and unpacks into the folder `package`. */
async function pack(): Promise<void> {
  for (const name of readdirSync(copy)) if (name.endsWith('.tgz')) rmSync(join(copy, name));
  rmSync(join(copy, 'package'), { recursive: true, force: true });
  await execute('npm', ['pack', '--pack-destination', copy], { cwd: library });
  const [tarball = ''] = readdirSync(copy).filter((name) => name.endsWith('.tgz'));
  await execute('tar', ['-xzf', tarball], { cwd: copy });
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .sort();
}

interface PackageJson {
  readonly version: string;
  readonly homepage: string;
  readonly exports: Record<string, string | Record<string, string | Record<string, string>>>;
  readonly dependencies: Record<string, string>;
  readonly peerDependencies: Record<string, string>;
  readonly peerDependenciesMeta: Record<string, { optional: boolean } | undefined>;
}

/**
 * An application that has installed the packed library with `npm ci --omit=dev --omit=optional`: nothing can be
 * resolved there but the library, its dependencies, its peer dependencies and the platform of Nest.
 */
function installWithoutOptional(): string {
  const application = mkdtempSync(join(tmpdir(), 'pack-application-'));
  const installed = (name: string) => join(application, 'node_modules', name);
  // A copy, because Node resolves what a linked package imports from the place that the link names.
  cpSync(unpacked(''), installed('nest-k8s-auth'), { recursive: true });
  const { dependencies, peerDependencies, peerDependenciesMeta } = packageJson();
  for (const name of [...Object.keys({ ...dependencies, ...peerDependencies }), '@nestjs/platform-express']) {
    if (peerDependenciesMeta[name]?.optional) continue;
    mkdirSync(dirname(installed(name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), installed(name));
  }
  cpSync(
    join(import.meta.dirname, '../support/receiver.process.mjs'),
    join(application, 'receiver.process.mjs'),
  );
  return application;
}

function packageJson(): PackageJson {
  return JSON.parse(readFileSync(unpacked('package.json'), 'utf8')) as PackageJson;
}

/** Makes a source older than every build, like a file from a backup or an archive. */
function writeOld(path: string, text: string): void {
  writeFileSync(join(library, path), text);
  utimesSync(join(library, path), 0, 0);
}

describe('npm pack', () => {
  const changed = 'src/util/syntax.ts';

  beforeAll(async () => {
    for (const path of COPIED) {
      cpSync(join(ROOT, path), join(copy, path), { recursive: true, filter: (from) => !/\/dist/.test(from) });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    // A build that is newer than every source: edited by hand, with a file whose source is gone.
    mkdirSync(join(library, 'dist/src'), { recursive: true });
    writeFileSync(join(library, 'dist/src/index.js'), 'export const edited = "by hand";\n');
    writeFileSync(join(library, 'dist/src/gone.js'), 'export {};\n');
    const text = readFileSync(join(library, changed), 'utf8');
    writeOld(changed, `${text}\nObject.assign(parseUrl, { changed: 'with an old date' });\n`);
    await pack();
  }, PACK_MS);
  afterAll(() => rmSync(copy, { recursive: true }));

  it('builds the current sources, whatever the folder dist contains and whichever file is newer', () => {
    const files = filesBelow(unpacked('dist'));
    expect(files).not.toContain('src/gone.js');
    for (const format of ['chunks', 'cjs/chunks']) {
      const chunks = files.filter((path) => dirname(path) === format && path.endsWith('.js'));
      const texts = chunks.map((path) => readFileSync(unpacked(join('dist', path)), 'utf8'));
      expect(texts.join()).toContain('with an old date');
    }
  });

  it('imports few files of its own, because each of them costs startup time', () => {
    for (const entry of ['src/index.js', 'testing/index.js']) {
      const text = readFileSync(unpacked(join('dist', entry)), 'utf8');
      expect([...text.matchAll(/ from "\./g)].length).toBeLessThanOrEqual(2);
    }
  });

  it('contains the licenses of the packages in its bundle', () => {
    expect(readFileSync(unpacked('dist/third-party-licenses.txt'), 'utf8')).toMatch(
      /^jose .*\(MIT\)[^]*Permission[^]*^zod .*\(MIT\)/m,
    );
  });

  it('contains the build, and the pages for readers of a registry', () => {
    const names = ['CHANGELOG.md', 'LICENSE', 'README.md'];
    expect(new Set(readdirSync(unpacked('')))).toEqual(
      new Set([...names, 'bin', 'cli', 'dist', 'package.json']),
    );
  });

  it('contains what browsers and processes of a service load as it is, and no sources', () => {
    const files = filesBelow(unpacked('cli'));
    expect(files).toEqual(expect.arrayContaining(['dev/page/static/index.html', 'dev/pod/pod-process.cjs']));
    expect(files.filter((path) => path.endsWith('.ts'))).toEqual([]);
  });

  it('contains pages whose links work without the repository', () => {
    for (const page of ['README.md', 'CHANGELOG.md']) {
      const text = readFileSync(unpacked(page), 'utf8');
      expect(text.split('\n')[0]).toBe(readFileSync(join(ROOT, page), 'utf8').split('\n')[0]);
      for (const [, link = ''] of text.matchAll(/\]\(([^)#]+)/g)) {
        expect(/^https:/.test(link) || existsSync(unpacked(link))).toBe(true);
      }
    }
    const { version, homepage } = packageJson();
    const home = homepage.replace('#readme', '');
    expect(readFileSync(unpacked('README.md'), 'utf8')).toContain(
      `](${home}/blob/v${version}/docs/calling.md#other-clients)`,
    );
  });

  it('contains every file that its package.json exports', () => {
    const { exports } = packageJson();
    const paths = JSON.stringify(exports).match(/\.\/(dist\/[^"]+|package\.json)/g) ?? [];
    expect(paths.length).toBeGreaterThan(Object.keys(exports).length);
    for (const path of paths) expect(existsSync(unpacked(path))).toBe(true);
  });

  describe('in an application without dev and optional dependencies', () => {
    let application: string;

    beforeAll(() => {
      application = installWithoutOptional();
    });
    afterAll(() => rmSync(application, { recursive: true }));

    it.each([
      ['nest-k8s-auth', 'import', 'K8sAuthModule'],
      ['nest-k8s-auth', 'require', 'K8sAuthModule'],
      ['nest-k8s-auth/testing', 'import', 'createTestPrincipal'],
      ['nest-k8s-auth/testing', 'require', 'createTestPrincipal'],
    ])('loads %s by %s', async (entry, load, exported) => {
      const code = `(async () => console.log(typeof (await ${load}('${entry}')).${exported}))()`;
      const program = ['--input-type=commonjs', '--eval', code];
      const { stdout } = await execute(process.execPath, program, { cwd: application });
      expect(stdout).toBe('function\n');
    });

    it.each([
      ['import', 'require'],
      ['require', 'import'],
    ])('has the same classes and tokens after %s as after a later %s', async (first, second) => {
      const code = `(async () => {
        const one = await ${first}('nest-k8s-auth');
        const other = await ${second}('nest-k8s-auth');
        for (const name of Object.keys(one)) console.log(one[name] === other[name] ? 'same' : name);
      })()`;
      const { stdout } = await execute(process.execPath, ['--input-type=commonjs', '--eval', code], {
        cwd: application,
      });
      expect(new Set(stdout.trim().split('\n'))).toEqual(new Set(['same']));
    });

    it.each([
      ['import', 'require'],
      ['require', 'import'],
    ])(
      'sets the caller by %s of the testing entry, and reads it by %s of the library',
      async (one, other) => {
        const code = `(async () => {
        const { authenticateAs, createTestPrincipal } = await ${one}('nest-k8s-auth/testing');
        const { getPrincipal } = await ${other}('nest-k8s-auth');
        const { IncomingMessage } = require('node:http');
        const request = new IncomingMessage(new (require('node:net').Socket)());
        const [aClass, handler] = [class {}, () => {}];
        const context = { switchToHttp: () => ({ getRequest: () => request }), getType: () => 'http',
          getClass: () => aClass, getHandler: () => handler };
        authenticateAs(createTestPrincipal({ namespace: 'shop', serviceAccount: 'checkout' })).canActivate(context);
        console.log(getPrincipal(context).username);
      })()`;
        const { stdout } = await execute(process.execPath, ['--input-type=commonjs', '--eval', code], {
          cwd: application,
        });
        expect(stdout).toBe('system:serviceaccount:shop:checkout\n');
      },
    );

    it.each(['import', 'require'])(
      'receives requests without axios and @nestjs/config, by %s',
      async (load) => {
        expect(await run(application, `receive((name) => ${load}(name))`)).toBe('401\n200\n');
      },
    );

    it.each(['import', 'require'])(
      'becomes a bundle with esbuild, which receives requests, by %s',
      async (load) => {
        await bundle(application, load);
        const { stdout } = await execute(process.execPath, ['bundle.cjs'], { cwd: application });
        expect(stdout).toBe('401\n200\n');
      },
    );

    it.each(['import', 'require'])(
      'sends a request with a token when axios is installed, by %s',
      async (load) => {
        const axios = join(application, 'node_modules/axios');
        symlinkSync(join(ROOT, 'node_modules/axios'), axios);
        try {
          expect(await run(application, `send((name) => ${load}(name))`)).toBe('Bearer a-token\n');
        } finally {
          rmSync(axios);
        }
      },
    );

    it.each(['import', 'require'])('names the command that installs @nestjs/axios, by %s', async (load) => {
      expect(await run(application, `call((name) => ${load}(name), true)`)).toContain(
        'K8sAuthHttpModule: expected the package @nestjs/axios, which cannot be loaded; install it with "npm install',
      );
    });

    it('has no unhandled rejection while the application is not started', async () => {
      expect(await run(application, 'call((name) => import(name), false)')).toBe('');
    });

    it('keeps the names of exported classes, which Nest writes into its messages', async () => {
      const code = `for (const entry of ['nest-k8s-auth', 'nest-k8s-auth/testing'])
        for (const [name, value] of Object.entries(await import(entry)))
          if (String(value).startsWith('class')) console.log(value.name.startsWith(name) ? 'same' : name);`;
      const program = ['--input-type=module', '--eval', code];
      const { stdout } = await execute(process.execPath, program, { cwd: application });
      expect(new Set(stdout.trim().split('\n'))).toEqual(new Set(['same']));
    });
  });

  it(
    'fails when the sources do not compile, and does not pack an older build',
    async () => {
      writeOld('src/broken.ts', 'export const broken: number = "text";\n');
      await expect(pack()).rejects.toThrow(/broken\.ts/);
      expect(readdirSync(copy).filter((name) => name.endsWith('.tgz'))).toEqual([]);
      expect(readdirSync(library).filter((name) => name.startsWith('dist-'))).toEqual([]);
    },
    PACK_MS,
  );
});
