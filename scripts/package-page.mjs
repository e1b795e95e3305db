/**
 * A page of the repository as readers of a registry see it: it stands in the package without the pages that it links to.
 * Its relative links become absolute ones to the tag of the release. Where package.json names no repository, as in a pack
 * that is made by hand, only the link's text stays.
 * @param {string} markdown
 * @param {{ version: string, repository?: { url?: string } }} packageJson
 * @returns {string}
 */
export function packagePage(markdown, { version, repository }) {
  const home = repository?.url?.replace(/^git\+/, '').replace(/\.git$/, '');
  return markdown.replace(/\[([^\]]*)\]\((?![a-z]+:|#)([^)\s]+)\)/g, (_, text, path) =>
    home === undefined ? text : `[${text}](${home}/blob/v${version}/${path})`,
  );
}
