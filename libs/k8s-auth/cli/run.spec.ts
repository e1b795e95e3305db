import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type CommandEntry, UsageError } from './command.js';
import { runCommandLine } from './run.js';

let out = '';
let err = '';
let received: readonly string[] | undefined;

const list: readonly CommandEntry[] = [
  {
    name: 'greet',
    summary: 'says hello',
    load: () =>
      Promise.resolve({
        help: '\nUsage: greet [--loud]\n',
        run: (args) => {
          received = args;
          if (args.includes('--wrong')) throw new UsageError('--wrong is wrong');
          if (args.includes('--crash')) throw new TypeError('no such port');
          return Promise.resolve(args.includes('--fail') ? 1 : 0);
        },
      }),
  },
];

beforeEach(() => {
  [out, err, received] = ['', '', undefined];
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += String(text);
    return true;
  });
});

afterEach(() => {
  jest.restoreAllMocks();
});

describe('runCommandLine', () => {
  it.each([[[]], [['--help']], [['-h']], [['help']]])('lists the commands for %j', async (args) => {
    expect(await runCommandLine(args, list)).toBe(0);
    expect(out).toContain('greet  says hello');
    expect(err).toBe('');
  });

  it.each([[['greet', '--help']], [['help', 'greet']]])(
    'shows the help of a command for %j',
    async (args) => {
      expect(await runCommandLine(args, list)).toBe(0);
      expect(out).toBe('Usage: greet [--loud]\n');
      expect(received).toBeUndefined();
    },
  );

  it('passes --help after -- to the command', async () => {
    expect(await runCommandLine(['greet', '--', 'node', '--help'], list)).toBe(0);
    expect(received).toEqual(['--', 'node', '--help']);
  });

  it('returns the exit status of the command', async () => {
    expect(await runCommandLine(['greet', '--fail'], list)).toBe(1);
  });

  it('suggests the similar command for an unknown command, with status 2', async () => {
    expect(await runCommandLine(['gret'], list)).toBe(2);
    expect(err).toMatch(/^nest-k8s-auth: there is no command 'gret'\. Did you mean 'greet'\?\n/);
  });

  it('suggests nothing for a command that resembles none', async () => {
    expect(await runCommandLine(['zzzzzzz'], list)).toBe(2);
    expect(err).not.toContain('Did you mean');
  });

  it('prints wrong arguments with a hint to the help, with status 2', async () => {
    expect(await runCommandLine(['greet', '--wrong'], list)).toBe(2);
    expect(err).toBe(
      'nest-k8s-auth greet: --wrong is wrong\nnpx nest-k8s-auth greet --help shows what is possible.\n',
    );
  });

  it('prints the message of any other error without its stack, with status 1', async () => {
    expect(await runCommandLine(['greet', '--crash'], list)).toBe(1);
    expect(err).toBe('nest-k8s-auth greet: no such port\n');
  });
});
