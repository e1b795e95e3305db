import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const script = (name: string) =>
  import(new URL(`../../docs/.vitepress/${name}.mjs`, import.meta.url).href) as Promise<unknown>;
const { stagePage } = (await script('stage-pages')) as {
  stagePage: (markdown: string, path: string, repositoryUrl?: string) => string;
};
const { findDeadLinks } = (await script('check-site')) as {
  findDeadLinks: (folder: string, base: string) => string[];
};
const REPOSITORY = 'git+https://github.com/example/auth.git';

describe('stagePage', () => {
  it.each([
    ['README.md', '[a](docs/calling.md#proxies)', '[a](calling.md#proxies)'],
    ['README.md', '[a\nb](k8s/README.md)', '[a\nb](manifests.md)'],
    ['README.md', '[a](docs/adr)', '[a](adr/index.md)'],
    ['docs/errors.md', '[a](../README.md#call)', '[a](index.md#call)'],
    ['docs/adr/0003-kubernetes-client.md', '[a](../calling.md)', '[a](../calling.md)'],
    ['k8s/README.md', '[a](../docs/errors.md)', '[a](errors.md)'],
  ])('in %s changes %j to the path on the site', (path, markdown, staged) => {
    expect(stagePage(markdown, path)).toBe(staged);
  });

  it('links other files to the repository, or leaves their text if package.json names no repository', () => {
    expect(stagePage('[a](LICENSE)', 'README.md', REPOSITORY)).toBe(
      '[a](https://github.com/example/auth/blob/main/LICENSE)',
    );
    expect(stagePage('[a](../../security/advisories/new)', 'SECURITY.md', REPOSITORY)).toBe(
      '[a](https://github.com/example/auth/security/advisories/new)',
    );
    expect(stagePage('[a](LICENSE)', 'README.md')).toBe('a');
  });

  it('leaves absolute links, links within the page and blocks of code unchanged', () => {
    const page = '[a](https://example.com/b.md) [c](#d)\n```text\n[e](missing.md)\n```\n';
    expect(stagePage(page, 'README.md')).toBe(page);
  });

  it('refuses a link to a file that does not exist', () => {
    expect(() => stagePage('[a](docs/missing.md)', 'README.md')).toThrow(
      'README.md links to docs/missing.md, which does not exist',
    );
  });
});

describe('findDeadLinks', () => {
  let folder: string;
  const write = (files: Record<string, string>) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'site-'));
    write({ 'index.html': '<h2 id="a-b">', 'index.md': '## A B', 'api/index.html': '', 'api/index.md': '' });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('accepts links to pages, folders, anchors, Markdown and other hosts', () => {
    write({
      'one.html':
        '<a class="x" href="/site/#a-b"><a href="/site/index.html#a-b"><a href="./api/"><a href="#top"><p id="top">' +
        '<a href="https://example.com/missing">',
      'api/two.md': '[a](../index.md#a-b)\n[b](index.md)\n```text\n[c](missing.md)\n```\n',
    });
    expect(findDeadLinks(folder, '/site/')).toEqual([]);
  });

  it.each([
    ['a page', '<a href="/missing.html">', '/missing.html'],
    ['an anchor', '<a href="/index.html#c">', '/index.html#c'],
    ['an anchor of the same page', '<a href="#c">', '#c'],
  ])('names a link to %s that does not exist, and the pages that have it', (_, html, link) => {
    write({ 'one.html': html, 'two.html': html });
    expect(findDeadLinks(folder, '/')).toEqual([`one.html (and 1 more): ${link}`]);
  });

  it('names a link of Markdown and of llms.txt to a page or an anchor that does not exist', () => {
    write({ 'llms.txt': '- [a](b.md)', 'one.md': '[a](index.md#c)' });
    expect(findDeadLinks(folder, '/')).toEqual(['llms.txt: b.md', 'one.md: index.md#c']);
  });
});
