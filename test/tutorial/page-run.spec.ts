import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PageRun } from './page-run.fixture.js';
import { ShellSession } from './shell-session.fixture.js';
import { readSteps, type Step } from './steps.fixture.js';

let session: ShellSession;
let run: PageRun;

beforeEach(() => {
  session = new ShellSession({ cwd: import.meta.dirname, environment: { PATH: process.env.PATH } });
  run = new PageRun(session);
});

afterEach(() => session.close());

const step = (commands: string, shown = '', more: Partial<Step> = {}): Step => ({
  heading: 'Heading',
  line: 1,
  commands: `${commands}\n`,
  shown,
  deadlineMs: 60_000,
  ...more,
});

/** Of a page with these blocks, one after the other. */
async function performAll(...steps: Step[]): Promise<void> {
  for (const one of steps) await run.perform(one);
}

describe('a page', () => {
  it('is executed in one shell: variables, functions and the folder survive', async () => {
    await performAll(
      step('name=world; greet() { echo "hello $1"; }; cd /'),
      step('greet "$name"; pwd', 'hello world\n/\n', { line: 7 }),
    );
    expect(run.succeeded).toEqual([1, 7]);
  });

  it('may show standard error, and output without a line end', async () => {
    await performAll(step('echo oops >&2; printf end', 'oops\nend\n'), step('echo more', 'more'));
    expect(run.succeeded).toHaveLength(2);
  });

  it('may use heredocs, and does not lend its own input to commands that read theirs', async () => {
    await performAll(step('cat <<END\n$((1 + 1))\nEND\ncat', '2'), step('echo next', 'next'));
    expect(run.succeeded).toHaveLength(2);
  });

  it('may leave a background process, which ends with the session', async () => {
    await run.perform(step('mkfifo "$TMPDIR/pipe"\ncat "$TMPDIR/pipe" > /dev/null &\necho $!', '…'));
    const pid = Number(await session.run('echo $!', 60_000));
    expect(() => process.kill(pid, 0)).not.toThrow();
    session.close();
    await expect(ended(pid)).resolves.toBeUndefined();
  });

  it('may show a command that fails, if it says so', async () => {
    await run.perform(step('false || echo "it failed"', 'it failed'));
    expect(run.succeeded).toEqual([1]);
  });
});

describe('a page fails', () => {
  it('on output that differs', async () => {
    await expect(run.perform(step('echo 401', '200'))).rejects.toThrow(
      "expected the line '200'; printed was:\n401",
    );
  });

  it('on output that is shown and not printed', async () => {
    await expect(run.perform(step('true', 'status=200'))).rejects.toThrow("expected the line 'status=200'");
  });

  it('on output that is printed and not shown', async () => {
    const [only] = readSteps('```sh\necho surprise\n```');
    await expect(run.perform(only ?? step(''))).rejects.toThrow('expected nothing more');
  });

  it('on a status that is not 0, with all that was printed before', async () => {
    await expect(run.perform(step('echo before; (exit 3)', 'before'))).rejects.toThrow(
      'the shell ended with status 3\nprinted was:\nbefore',
    );
  });

  it('on a command that fails before the last one', async () => {
    await expect(run.perform(step('false\necho after', 'after'))).rejects.toThrow(
      'the shell ended with status 1',
    );
  });

  it('on a command that does not exist', async () => {
    await expect(run.perform(step('no-such-program'))).rejects.toThrow('the shell ended with status 127');
  });

  it('on a block that is not valid shell code', async () => {
    await expect(run.perform(step('if true; then'))).rejects.toThrow('the shell ended with status');
  });

  it('on a block that ends the shell, whatever its status', async () => {
    await expect(run.perform(step('exit 0'))).rejects.toThrow('the shell ended with status 0');
  });

  it('on a block that does not end in time', async () => {
    const endless = step('echo begun; mkfifo "$TMPDIR/pipe"; cat "$TMPDIR/pipe"', '', { deadlineMs: 50 });
    await expect(run.perform(endless)).rejects.toThrow('no end within 0.05 s');
  });

  it('for good: the blocks after the one that failed are not executed, and say why', async () => {
    await expect(run.perform(step('false', '', { line: 12 }))).rejects.toThrow();
    for (const line of [20, 30]) {
      await expect(run.perform(step('true', '', { line }))).rejects.toThrow(
        'not reached: the block of line 12 failed',
      );
    }
    expect(run.succeeded).toEqual([]);
  });
});

/** A killed process exists until its parent has noticed its end. */
async function ended(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
