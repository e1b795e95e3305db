import { describe, expect, it } from '@jest/globals';
import { readSteps } from './steps.fixture.js';

const page = (...lines: string[]) => lines.join('\n');

describe('readSteps', () => {
  it('returns each shell block with its heading, its line and the output that follows, with or without text in between', () => {
    const markdown = page(
      '# One',
      '```sh',
      '# no heading, a comment',
      'ls',
      '```',
      'One sees',
      '```text',
      'a',
      '```',
      '## Two',
      '```sh deadline=300',
      'true',
      '```',
      '```sh',
      'cat <<END',
      '    indented',
      'END',
      '```',
    );
    expect(readSteps(markdown)).toEqual([
      {
        heading: 'One',
        line: 2,
        commands: '# no heading, a comment\nls\n',
        shown: 'a\n',
        deadlineMs: 60_000,
      },
      { heading: 'Two', line: 11, commands: 'true\n', shown: '', deadlineMs: 300_000 },
      { heading: 'Two', line: 14, commands: 'cat <<END\n    indented\nEND\n', shown: '', deadlineMs: 60_000 },
    ]);
  });

  it.each([
    ['a block without a language', page('```', 'ls', '```'), "line 1: expected sh, text, json, yaml, got ''"],
    ['another shell', page('', '```bash', 'ls', '```'), 'line 2: expected sh, text, json, yaml'],
    ['output of nothing', page('```text', 'a', '```'), 'line 1: expected output to follow'],
    [
      'a second output of the same commands',
      page('```sh', 'ls', '```', '```text', 'a', '```', '```text', 'b', '```'),
      'line 7: expected output to follow',
    ],
    ['a misspelt deadline', page('```sh dedline=5', 'ls', '```'), 'line 1: expected deadline=SECONDS'],
    ['a block without an end', page('```sh', 'ls'), 'line 1: block without an end'],
    [
      'an indented fence',
      page('- see', '  ```sh', '  ls', '  ```'),
      'line 2: expected code to stand in a block',
    ],
    ['another fence', page('~~~sh', 'ls', '~~~'), 'line 1: expected code to stand in a block'],
    ['code by indentation', page('See', '', '    ls'), 'line 3: expected code to stand in a block'],
  ])('rejects %s, which would not be executed', (_, markdown, message) => {
    expect(() => readSteps(markdown)).toThrow(message);
  });
});
