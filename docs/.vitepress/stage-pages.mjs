import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { IMAGE_FOLDERS, ROOT, SITE_PATHS, STAGED } from './site-paths.mjs';

// Not of an image: those are copied beside the pages.
const LINK = /(?<!!)\[([^\]]*)\]\((?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?\)/g;

const IMAGE = /!\[([^\]]*)\]\((?![a-z]+:)([^)\s]+)\)/g;

/** Copies the pages of the repository to their paths on the site, with links that are valid there. */
export async function stagePages() {
  const { repository } = JSON.parse(await readFile(join(ROOT, 'libs/k8s-auth/package.json'), 'utf8'));
  await rm(STAGED, { recursive: true, force: true });
  for (const [path, sitePath] of SITE_PATHS) {
    const staged = join(STAGED, sitePath);
    await mkdir(dirname(staged), { recursive: true });
    await writeFile(staged, stagePage(await readFile(join(ROOT, path), 'utf8'), path, repository?.url));
  }
  // Beside the pages that Vite takes them from, and beside the plain pages.
  for (const folder of IMAGE_FOLDERS)
    await cp(join(ROOT, 'docs', folder), join(STAGED, folder), { recursive: true });
}

/**
 * Links between pages get the paths of the site. A link to another file of the repository becomes a link to that file at
 * the repository's home, or only its text if package.json names no repository.
 * @param {string} markdown
 * @param {string} path of the page in the repository
 * @param {string | undefined} repositoryUrl
 * @throws {Error} the target of a link does not exist
 */
export function stagePage(markdown, path, repositoryUrl) {
  const home = repositoryUrl?.replace(/^git\+/, '').replace(/\.git$/, '');
  const here = posix.dirname(SITE_PATHS.get(path));
  const stageLink = (_, text, link, anchor = '') => {
    const target = posix.join(posix.dirname(path), link);
    const sitePath = SITE_PATHS.get(target) ?? SITE_PATHS.get(`${target}/README.md`);
    if (sitePath) return `[${text}](${posix.relative(here, sitePath)}${anchor})`;
    // A link such as ../../security leaves the folder of the files: GitHub shows it beside them.
    const isFile = !target.startsWith('../');
    if (isFile && !existsSync(join(ROOT, target)))
      throw new Error(`${path} links to ${link}, which does not exist`);
    if (home === undefined) return text;
    return `[${text}](${home}/${isFile ? `blob/main/${target}` : target.replace(/^(\.\.\/)+/, '')}${anchor})`;
  };
  // The folders of docs/ with images are on the site without docs/.
  const stageImage = (_, text, link) => {
    const target = posix.join(posix.dirname(path), link).replace(/^docs\//, '');
    return `![${text}](${posix.relative(here, target)})`;
  };
  // Every second part is a block of code.
  const parts = markdown.split(/^(```[^]*?^```$)/m);
  return parts
    .map((part, index) => (index % 2 ? part : part.replace(LINK, stageLink).replace(IMAGE, stageImage)))
    .join('');
}
