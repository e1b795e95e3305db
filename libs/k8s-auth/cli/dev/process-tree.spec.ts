import { beforeEach, describe, expect, it } from '@jest/globals';
import { endProcessTree, type TreeRoot } from './process-tree.js';

describe('endProcessTree on Windows', () => {
  let actions: string[];
  const root = (state: Partial<TreeRoot> = {}): TreeRoot => ({
    pid: 1234,
    exitCode: null,
    signalCode: null,
    kill: (signal) => actions.push(`kill ${signal}`) > 0,
    ...state,
  });
  const end = (of: TreeRoot, isTaskkillFound = true) =>
    endProcessTree(of, 'SIGTERM', 'win32', (program, args) => {
      actions.push([program, ...args].join(' '));
      return isTaskkillFound;
    });

  beforeEach(() => {
    actions = [];
  });

  it('ends the whole tree with taskkill', () => {
    end(root());
    expect(actions).toEqual(['taskkill /pid 1234 /T /F']);
  });

  it('ends at least the process itself if there is no taskkill', () => {
    end(root(), false);
    expect(actions).toEqual(['taskkill /pid 1234 /T /F', 'kill SIGKILL']);
  });

  it.each([{ exitCode: 0 }, { signalCode: 'SIGKILL' as const }, { pid: undefined }])(
    'ends nothing when the process is %j: its ID may belong to another process',
    (state) => {
      end(root(state));
      expect(actions).toEqual([]);
    },
  );
});
