import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/**
 * VitePress finds links to pages that do not exist, but neither missing anchors nor what the Markdown and llms.txt link
 * to.
 * @param {string} folder the built site
 * @param {string} base the path under which it is served
 * @returns {string[]} a line for each link that leads nowhere, with the first page that has it
 */
export function findDeadLinks(folder, base) {
  const paths = readdirSync(folder, { recursive: true }).map((path) => path.replaceAll('\\', '/'));
  const files = new Map(
    paths
      .filter((path) => /\.(html|md|txt)$/.test(path))
      .map((path) => [path, readFileSync(join(folder, path), 'utf8')]),
  );
  const anchors = new Map(
    [...files].map(([path, text]) => [path, path.endsWith('.html') ? idsIn(text) : undefined]),
  );
  const isDead = (path, link) => {
    const [target, anchor] = resolveLink(path, link, base);
    if (!paths.includes(target)) return true;
    // The Markdown of a page has the anchors of its HTML.
    const ids = anchors.get(target.replace(/\.md$/, '.html'));
    return anchor !== '' && ids !== undefined && !ids.has(anchor);
  };
  const dead = new Map();
  for (const [path, text] of files) {
    for (const link of linksIn(path, text)) {
      if (!/^[a-z]+:|^\/\//.test(link) && isDead(path, link))
        dead.set(link, [...(dead.get(link) ?? []), path]);
    }
  }
  return [...dead].map(
    ([link, [first, ...others]]) =>
      `${first}${others.length > 0 ? ` (and ${others.length} more)` : ''}: ${link}`,
  );
}

function idsIn(html) {
  return new Set([...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => decodeText(id)));
}

function linksIn(path, text) {
  const links = path.endsWith('.html')
    ? text.matchAll(/<a\s[^>]*?href="([^"]*)"/g)
    : text.replace(/^```[^]*?^```/gm, '').matchAll(/\]\(([^)\s]+)\)/g);
  return [...new Set([...links].map(([, link]) => decodeText(link)))];
}

function resolveLink(path, link, base) {
  const [target = '', anchor = ''] = link.split('#', 2).map((part) => decodeURIComponent(part));
  const absolute = target.startsWith(base)
    ? target.slice(base.length)
    : posix.join(posix.dirname(path), target);
  const file =
    target === '' ? path : absolute.replace(/^\.?\/?$|\/$/, (end) => `${end === '/' ? '/' : ''}index.html`);
  return [file.replace(/^\//, ''), anchor];
}

function decodeText(text) {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}
