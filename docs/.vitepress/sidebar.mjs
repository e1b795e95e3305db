import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { STAGED } from './site-paths.mjs';

// Pages that no group names are in the last group, so that a new page can be found before it has its place.
const GROUPS = [
  ['Start', ['index', 'add-to-an-application', 'tutorial', 'migrate']],
  [
    'Use',
    ['receiving', 'transports', 'verifiers', 'calling', 'configuration', 'long-lived-responses', 'manifests'],
  ],
  ['Test', ['develop-and-test', 'developing', 'testing', 'samples']],
  ['Operate', ['refused-tokens', 'doctor', 'errors', 'performance', 'security']],
  ['Contribute', ['architecture', 'adding-a-verifier', 'adr/index', 'contributing', 'changelog']],
];
const MORE = 'More';

/**
 * @param {readonly string[]} pages paths on the site
 * @returns the groups of the sidebar, each with the pages that exist
 */
export function sidebar(pages) {
  const known = pages.filter((page) => !/^(api|adr)\//.test(page)).map((page) => page.replace(/\.md$/, ''));
  const named = GROUPS.flatMap(([, names]) => names);
  const groups = [...GROUPS, [MORE, known.filter((page) => !named.includes(page))]];
  const api = { text: 'API', items: [{ text: 'API reference', link: '/api/' }] };
  return [
    ...groups.map(([text, names]) => ({
      text,
      items: names
        .filter((name) => pages.includes(`${name}.md`))
        .map((name) => ({ text: titleOf(`${name}.md`), link: `/${name.replace(/(^|\/)index$/, '$1')}` })),
    })),
    api,
  ].filter(({ items }) => items.length > 0);
}

/** The first heading of a page. */
export function titleOf(page) {
  const [, title = page] = /^# (.*)$/m.exec(readFileSync(join(STAGED, page), 'utf8')) ?? [];
  return title.replaceAll('`', '').replaceAll('\\', '');
}
