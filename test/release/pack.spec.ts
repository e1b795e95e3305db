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
import { join } from 'node:path';
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

/** The files that compiling the sources, as they are now, makes. */
function expectedBuild(): string[] {
  return ['src', 'testing']
    .flatMap((folder) => filesBelow(join(library, folder)).map((path) => join(folder, path)))
    .filter((path) => path.endsWith('.ts') && !NOT_BUILT.test(path))
    .map((path) => path.slice(0, -'.ts'.length))
    .flatMap((path) => [`${path}.d.ts`, `${path}.js`, `${path}.js.map`])
    .sort();
}

/** A source that is older than every build, as one from a backup or an archive. */
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

  it('builds the sources as they are, whatever the folder dist holds and whichever file is newer', () => {
    expect(filesBelow(unpacked('dist'))).toEqual(expectedBuild());
    expect(readFileSync(unpacked('dist/src/index.js'), 'utf8')).toMatch(/export \{ K8sAuthModule \}/);
    expect(readFileSync(unpacked('dist/src/util/syntax.js'), 'utf8')).toContain('with an old date');
  });

  it('holds what is built, and what a reader of a registry needs', () => {
    const names = ['CHANGELOG.md', 'LICENSE', 'README.md'];
    expect(new Set(readdirSync(unpacked('')))).toEqual(new Set([...names, 'dist', 'package.json']));
    for (const name of names) {
      expect(readFileSync(unpacked(name), 'utf8')).toBe(readFileSync(join(ROOT, name), 'utf8'));
    }
  });

  it('holds every file that its package.json exports', () => {
    const { exports } = JSON.parse(readFileSync(unpacked('package.json'), 'utf8')) as {
      exports: Record<string, string | { types: string; default: string }>;
    };
    for (const target of Object.values(exports)) {
      const paths = typeof target === 'string' ? [target] : [target.types, target.default];
      for (const path of paths) expect(existsSync(unpacked(path))).toBe(true);
    }
  });

  it(
    'fails when the sources do not compile, and packs nothing older',
    async () => {
      writeOld('src/broken.ts', 'export const broken: number = "text";\n');
      await expect(pack()).rejects.toThrow(/broken\.ts/);
      expect(readdirSync(copy).filter((name) => name.endsWith('.tgz'))).toEqual([]);
      expect(readdirSync(library).filter((name) => name.startsWith('dist-'))).toEqual([]);
    },
    PACK_MS,
  );
});
