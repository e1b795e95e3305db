import { describe, expect, it } from '@jest/globals';

const { packagePage } = (await import(new URL('../../scripts/package-page.mjs', import.meta.url).href)) as {
  packagePage: (markdown: string, packageJson: { version: string; repository?: { url: string } }) => string;
};
const RELEASE = { version: '1.2.3', repository: { url: 'git+https://github.com/example/auth.git' } };

describe('packagePage', () => {
  it('makes relative links absolute, to the tag of the release', () => {
    expect(packagePage('see [calling](docs/calling.md#proxies) and\n[decisions](docs/adr)', RELEASE)).toBe(
      'see [calling](https://github.com/example/auth/blob/v1.2.3/docs/calling.md#proxies) and\n' +
        '[decisions](https://github.com/example/auth/blob/v1.2.3/docs/adr)',
    );
  });

  it('takes images from the tag of the release', () => {
    expect(packagePage('![the page](docs/page.png)', RELEASE)).toBe(
      '![the page](https://github.com/example/auth/raw/v1.2.3/docs/page.png)',
    );
  });

  it('leaves blocks of code unchanged', () => {
    const block = '```ts\nactions[name](request);\n```\n';
    expect(packagePage(block, RELEASE)).toBe(block);
    expect(packagePage(block, { version: '1.2.3' })).toBe(block);
  });

  it('leaves absolute links and links within the page unchanged', () => {
    const page = '[kind](https://kind.sigs.k8s.io) [above](#install) [mail](mailto:a@example.com)';
    expect(packagePage(page, RELEASE)).toBe(page);
    expect(packagePage(page, { version: '1.2.3' })).toBe(page);
  });

  it('leaves only the text of a relative link when package.json names no repository', () => {
    expect(packagePage('see [docs/calling.md](docs/calling.md).', { version: '1.2.3' })).toBe(
      'see docs/calling.md.',
    );
  });
});
