import { expect, it } from '@jest/globals';
import { planSpawn } from './spawn-plan.js';

it('starts the words of a command directly', () => {
  expect(planSpawn(['node', '-e', 'a b "c"'], 'linux')).toEqual({
    file: 'node',
    args: ['-e', 'a b "c"'],
    shell: false,
  });
});

it.each(['linux', 'win32'] as const)('gives one text with spaces to the shell on %s', (platform) => {
  const line = 'npm run build && node dist/main.js';
  expect(planSpawn([line], platform)).toEqual({ file: line, args: [], shell: true });
});

it.each([
  [['nest', 'start', '--watch'], 'nest start --watch'],
  [['node', 'dist\\main.js', '--a=b'], 'node dist\\main.js --a=b'],
  [['C:\\Program Files\\nodejs\\node.exe', 'x.js'], '^"C:\\Program^ Files\\nodejs\\node.exe^" x.js'],
  [['node', '-e', 'say("hi")'], 'node -e ^"say^(\\^"hi\\^"^)^"'],
  [['node', 'a b\\'], 'node ^"a^ b\\\\^"'],
  [['echo', '%PATH%', 'a&b'], 'echo ^"^%PATH^%^" ^"a^&b^"'],
])('quotes %j for cmd.exe, because npm and nest are .cmd files on Windows', (command, line) => {
  expect(planSpawn(command, 'win32')).toEqual({ file: line, args: [], shell: true });
});
