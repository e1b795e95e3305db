import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifierDefinitions } from '../../libs/k8s-auth/src/verifiers/index.js';
import { compile } from '../support/compile.js';
import { codeBlocks, PAGES, readPage } from './code-blocks.js';

const ROOT = join(import.meta.dirname, '../..');
const source = (path: string) => readFileSync(join(ROOT, 'libs/k8s-auth/src', path), 'utf8');

describe('code in the documentation', () => {
  const blocks = Object.fromEntries(
    PAGES.flatMap((page) =>
      codeBlocks(page, 'ts').map((text, index) => [
        `test/docs/${page.replace(/\W/g, '-')}-${index + 1}.ts`,
        text,
      ]),
    ),
  );

  it('exists', () => {
    expect(Object.keys(blocks).length).toBeGreaterThanOrEqual(5);
  });

  it.each([11, 12] as const)('compiles without changes on Nest %s', (nest) => {
    // Examples of tests use the globals of the test runner.
    expect(compile(blocks, ['jest'], nest)).toEqual([]);
  });

  it('is compiled with the packages of the version: Nest 11 has no cookies', () => {
    const sources = { 'test/docs/cookies.ts': "export { Cookies } from '@nestjs/common';\n" };
    expect(compile(sources, [], 12)).toEqual([]);
    expect(compile(sources, [], 11)).toEqual([expect.stringContaining("no exported member 'Cookies'")]);
  });

  it.each(PAGES)('stands on the left in %s, so that no block is overlooked', (page) => {
    const indented = readPage(page).match(/^[ \t]+```.*$/gm);
    expect(indented ?? []).toEqual([]);
  });
});

describe('README.md', () => {
  it('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
    const named = [...readPage('README.md').matchAll(/npm (?:run )?(start|test|[a-z:]+)\b/g)]
      .map(([, name]) => name)
      .filter((name) => !['ci', 'install', 'pack'].includes(name ?? ''));
    expect(named).toContain('start');
    for (const name of named) expect(Object.keys(scripts)).toContain(name);
  });

  it('links only to pages that exist', () => {
    for (const page of PAGES) {
      for (const [, link = ''] of readPage(page).matchAll(/\]\((?!https?:)([^)#]+)/g)) {
        expect(() => readFileSync(join(ROOT, page, '..', link))).not.toThrow(/ENOENT/);
      }
    }
  });
});

describe('docs/configuration.md', () => {
  const page = readPage('docs/configuration.md');

  it('has a row for every variable of every verifier, with its option', () => {
    for (const { option, variable } of verifierDefinitions.flatMap(({ variables }) => variables)) {
      const name = option.replace(/^apiServer\./, '');
      expect(page).toMatch(new RegExp(`^\\| \`${name}\` +\\|[^|]*\`${variable}\``, 'm'));
    }
  });

  it('names no variable that the code does not know', () => {
    const known =
      source('config/environment.ts') + JSON.stringify(verifierDefinitions.map(({ variables }) => variables));
    for (const [variable] of page.matchAll(/K8S_AUTH_[A-Z_]+/g)) expect(known).toContain(variable);
  });
});

describe('docs/errors.md', () => {
  it('has a row for every class that the library exports, and for every reason', () => {
    const page = readPage('docs/errors.md');
    const errors = source('errors.ts');
    const classes = [...errors.matchAll(/^export class ([A-Z]\w+Error)\b/gm)].map(([, name]) => name ?? '');
    expect(classes).toHaveLength(9);
    for (const name of classes) expect(page).toContain(`\`${name}\``);
    const reasons = [...errors.matchAll(/^export type \w+ =([^;]+)/gm)].flatMap(([, union = '']) =>
      [...union.matchAll(/'([A-Z_]+)'/g)].map(([, reason]) => reason ?? ''),
    );
    expect(reasons).toHaveLength(12);
    for (const reason of reasons) expect(page).toContain(reason);
  });
});
