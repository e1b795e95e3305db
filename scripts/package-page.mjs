/**
 * Converts a page of the repository for readers of a registry, because the package does not contain what the page links
 * to. Relative links become absolute links to the tag of the release, and images are taken from there. If package.json
 * names no repository, only the text of the link remains. Blocks of code do not change.
 * @param {string} markdown
 * @param {{ version: string, repository?: { url?: string } }} packageJson
 * @returns {string}
 */
export function packagePage(markdown, { version, repository }) {
  const home = repository?.url?.replace(/^git\+/, '').replace(/\.git$/, '');
  const absolute = (_, image, text, path) =>
    home === undefined ? text : `${image}[${text}](${home}/${image ? 'raw' : 'blob'}/v${version}/${path})`;
  // Every second part is a block of code.
  return markdown
    .split(/^(```[^]*?^```$)/m)
    .map((part, index) =>
      index % 2 ? part : part.replace(/(!?)\[([^\]]*)\]\((?![a-z]+:|#)([^)\s]+)\)/g, absolute),
    )
    .join('');
}
