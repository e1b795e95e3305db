/**
 * Converts a page of the repository for readers of a registry, because the package does not contain the linked pages.
 * Relative links become absolute links to the tag of the release. If package.json names no repository, as in a package
 * that is packed by hand, only the text of the link remains, and nothing of an image.
 * @param {string} markdown
 * @param {{ version: string, repository?: { url?: string } }} packageJson
 * @returns {string}
 */
export function packagePage(markdown, { version, repository }) {
  const home = repository?.url?.replace(/^git\+/, '').replace(/\.git$/, '');
  const images = markdown.replace(/!\[([^\]]*)\]\((?![a-z]+:)([^)\s]+)\)\n*/g, (_, text, path) =>
    home === undefined ? '' : `![${text}](${home}/raw/v${version}/${path})\n\n`,
  );
  return images.replace(/\[([^\]]*)\]\((?![a-z]+:|#)([^)\s]+)\)/g, (_, text, path) =>
    home === undefined ? text : `[${text}](${home}/blob/v${version}/${path})`,
  );
}
