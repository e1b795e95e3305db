import { describe, expect, it } from '@jest/globals';
import { findDifference } from './shown-output.fixture.js';

describe('findDifference', () => {
  it.each([
    ['the same', 'a\nb\n', 'a\nb\n'],
    ['nothing, where nothing is shown', '', ''],
    ['the same but for white space at the ends', 'a\n  b\n', 'a  \n  b\n\n'],
    ['anything on a line', 'uid: …, name: x', 'uid: 1-2-3, name: x'],
    ['nothing in the place of anything', 'deleted…', 'deleted'],
    ['any lines', 'a\n…\nz', 'a\nb\nc\nz'],
    ['no line in the place of any lines', 'a\n…\nz', 'a\nz'],
    ['any lines, indented, at the end', '{\n  …', '{\n  "a": 1\n}'],
    ['any lines up to the last of several that fit', '…\nend', 'end\nmore\nend'],
    ['any lines twice', '…\na\n…\nb', 'x\na\ny\nb\nz\nb'],
    ['signs that mean something in patterns', 'a.b*[c] ($d) \\ ^', 'a.b*[c] ($d) \\ ^'],
  ])('accepts %s', (_, shown, printed) => {
    expect(findDifference(shown, printed)).toBeUndefined();
  });

  it.each([
    ['another line', 'a\nb', 'a\nc', "the line 'b'"],
    ['a line too few', 'a\nb', 'a', "the line 'b'"],
    ['no output', 'a', '', "the line 'a'"],
    ['a line too many', 'a', 'a\nb', 'nothing more'],
    ['output where none is shown', '', 'a', 'nothing more'],
    ['something before the line', 'b', 'ab', "the line 'b'"],
    ['another indentation', '  a', 'a', "the line '  a'"],
    ['any character for a dot', 'a.c', 'abc', "the line 'a.c'"],
    ['another line after any lines', 'a\n…\nz', 'a\nb\nc', "the line 'z'"],
    ['a line more after any lines', '…\na', 'a\nb', 'nothing more'],
    ['another part of a line', 'status=…, x', 'status=200, y', "the line 'status=…, x'"],
  ])('rejects %s', (_, shown, printed, missing) => {
    expect(findDifference(shown, printed)).toBe(`expected ${missing}; printed was:\n${printed}`);
  });
});
