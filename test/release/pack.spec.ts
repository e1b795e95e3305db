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

const execute = promisify(execFile);
const PACK_MS = 120_000;
const COPIED = ['libs', 'scripts', 'package.json', 'tsconfig.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];
const NOT_BUILT = /\.(spec|contract|fixture)\.ts$/;

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

/** The files that a compilation of the current sources creates. */
function expectedBuild(): string[] {
  return ['cli', 'src', 'testing']
    .flatMap((folder) => filesBelow(join(library, folder)).map((path) => join(folder, path)))
    .filter((path) => path.endsWith('.ts') && !NOT_BUILT.test(path))
    .map((path) => path.slice(0, -'.ts'.length))
    .flatMap((path) => [`${path}.d.ts`, `${path}.js`, `${path}.js.map`])
    .sort();
}

interface PackageJson {
  readonly exports: Record<string, string | { types: string; default: string }>;
  readonly dependencies: Record<string, string>;
  readonly peerDependencies: Record<string, string>;
}

/**
 * An application that has installed the packed library with `npm ci --omit=dev --omit=optional`: nothing can be
 * resolved there but the library, its dependencies and its peer dependencies.
 */
function installWithoutOptional(): string {
  const application = mkdtempSync(join(tmpdir(), 'pack-application-'));
  const installed = (name: string) => join(application, 'node_modules', name);
  // A copy, because Node resolves what a linked package imports from the place that the link names.
  cpSync(unpacked(''), installed('nest-k8s-auth'), { recursive: true });
  const { dependencies, peerDependencies } = packageJson();
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    mkdirSync(dirname(installed(name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), installed(name));
  }
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
    writeOld(changed, `${text}\nexport const changed = 'with an old date';\n`);
    await pack();
  }, PACK_MS);
  afterAll(() => rmSync(copy, { recursive: true }));

  it('builds the current sources, whatever the folder dist contains and whichever file is newer', () => {
    expect(filesBelow(unpacked('dist'))).toEqual(expectedBuild());
    expect(readFileSync(unpacked('dist/src/index.js'), 'utf8')).toMatch(/export \{ K8sAuthModule \}/);
    expect(readFileSync(unpacked('dist/src/util/syntax.js'), 'utf8')).toContain('with an old date');
  });

  it('contains the build, and the pages for readers of a registry', () => {
    const names = ['CHANGELOG.md', 'LICENSE', 'README.md'];
    expect(new Set(readdirSync(unpacked('')))).toEqual(new Set([...names, 'bin', 'dist', 'package.json']));
  });

  it('contains pages whose links work without the repository', () => {
    for (const page of ['README.md', 'CHANGELOG.md']) {
      const text = readFileSync(unpacked(page), 'utf8');
      expect(text.split('\n')[0]).toBe(readFileSync(join(ROOT, page), 'utf8').split('\n')[0]);
      for (const [, link = ''] of text.matchAll(/\]\(([^)#]+)/g)) {
        expect(/^https:/.test(link) || existsSync(unpacked(link))).toBe(true);
      }
    }
  });

  it('contains every file that its package.json exports', () => {
    for (const target of Object.values(packageJson().exports)) {
      const paths = typeof target === 'string' ? [target] : [target.types, target.default];
      for (const path of paths) expect(existsSync(unpacked(path))).toBe(true);
    }
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
