// Where each page of the repository is on the site. New pages in docs/ and docs/adr/ need no entry.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

/** The pages that `stagePages` writes, and what TypeDoc adds to them. Never edited by hand. */
export const STAGED = join(import.meta.dirname, 'pages');

export const OUTPUT = join(import.meta.dirname, 'dist');

/** Folders in docs/ with the images of pages. The bench writes the charts, and test/page the pictures of the live page. */
export const IMAGE_FOLDERS = ['performance', 'images'].filter((folder) =>
  existsSync(join(ROOT, 'docs', folder)),
);

const pagesIn = (folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .map((name) => [`${folder}/${name}`, `${folder}/${name}`.replace(/^docs\//, '')]);

/** Paths in the repository, and the paths of the same pages on the site. */
export const SITE_PATHS = new Map([
  ['README.md', 'index.md'],
  ...pagesIn('docs'),
  ['docs/adr/README.md', 'adr/index.md'],
  ...pagesIn('docs/adr').filter(([path]) => !path.endsWith('/0000-template.md')),
  ['k8s/README.md', 'manifests.md'],
  ...[['samples/README.md', 'samples.md']].filter(([path]) => existsSync(join(ROOT, path))),
  ['ARCHITECTURE.md', 'architecture.md'],
  ['CONTRIBUTING.md', 'contributing.md'],
  ['SECURITY.md', 'security.md'],
  ['CHANGELOG.md', 'changelog.md'],
]);
