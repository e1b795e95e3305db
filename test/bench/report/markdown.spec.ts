import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatFile, markdownTable, readBlock, replaceBlocks } from './markdown.js';
import { reviewLoadTable } from './review-load.table.js';

const PAGE = ['# Page', '', '<!-- bench:a -->', '', 'old', '', '<!-- /bench:a -->', '', 'by hand', ''];
const TWO = [...PAGE, '<!-- bench:b -->', '<!-- /bench:b -->', 'the end', ''].join('\n');

describe('replaceBlocks', () => {
  it('replaces the content of all blocks, and no other text', () => {
    const replaced = replaceBlocks(TWO, { a: 'new $& a', b: 'new b' });
    expect(replaced.split('\n')).toEqual([
      ...['# Page', '', '<!-- bench:a -->', '', 'new $& a', '', '<!-- /bench:a -->', '', 'by hand', ''],
      ...['<!-- bench:b -->', '', 'new b', '', '<!-- /bench:b -->', 'the end', ''],
    ]);
  });

  it('changes nothing more if it is repeated', () => {
    const once = replaceBlocks(TWO, { a: '1', b: '2' });
    expect(replaceBlocks(once, { a: '1', b: '2' })).toBe(once);
    expect(replaceBlocks(once, { a: '3', b: '4' })).toBe(replaceBlocks(TWO, { a: '3', b: '4' }));
  });

  it.each([
    ['a block without content', { a: '1' }],
    ['a content without a block', { a: '1', b: '2', c: '3' }],
  ])('rejects %s', (_, contents) => {
    expect(() => replaceBlocks(TWO, contents)).toThrow('the page has the blocks a,b');
  });

  it.each([
    ['without an end', TWO.replace('<!-- /bench:b -->', '')],
    ['without a start', TWO.replace('<!-- bench:b -->', '')],
  ])('rejects a marker %s', (_, page) => {
    expect(() => replaceBlocks(page, { a: '1', b: '2' })).toThrow('a marker has no counterpart');
  });
});

it('a table escapes the characters that Markdown interprets', () => {
  expect(markdownTable(['a|b', 'n'], [['<i>', '1\n2']], ['left', 'right'])).toBe(
    '| a\\|b | n |\n| --- | --: |\n| \\<i> | 1 2 |',
  );
});

it('docs/performance.md shows the calculated reviews', async () => {
  const path = join(import.meta.dirname, '../../../docs/performance.md');
  const expected = await formatFile(path, reviewLoadTable());
  expect(readBlock(readFileSync(path, 'utf8'), 'review-load')).toBe(expected.trim());
});
