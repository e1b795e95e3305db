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

  it('makes the path of an image absolute, to the file itself', () => {
    const page = 'before\n\n![page](docs/images/page.png)\n\nafter\n';
    expect(packagePage(page, RELEASE)).toBe(
      'before\n\n![page](https://github.com/example/auth/raw/v1.2.3/docs/images/page.png)\n\nafter\n',
    );
    expect(packagePage(page, { version: '1.2.3' })).toBe('before\n\nafter\n');
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
