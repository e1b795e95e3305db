import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AtomicDirectory } from './atomic-directory.js';
import { mountFiles } from './mount-files.js';
import { ReplacedFiles } from './replaced-files.js';

describe('ReplacedFiles', () => {
  let root: string;
  let directory: string;
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  const busy = () => Object.assign(new Error('operation not permitted'), { code: 'EPERM' });

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'replaced-files-'));
    directory = join(root, 'mount');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('is used on Windows, where links to files need a privilege', () => {
    expect(mountFiles(directory, 'win32')).toBeInstanceOf(ReplacedFiles);
    expect(mountFiles(directory, 'linux')).toBeInstanceOf(AtomicDirectory);
  });

  it('shows new content and new names, hides removed names, and leaves nothing else', () => {
    const files = new ReplacedFiles(directory);
    files.write({ token: 'one', namespace: 'shop' });
    files.write({ token: 'two', 'ca.crt': 'ca' });
    expect(readdirSync(directory).sort()).toEqual(['ca.crt', 'token']);
    expect(read('token')).toBe('two');
  });

  it('replaces a file by a rename, so that no reader sees half of it', () => {
    const renamed: string[] = [];
    const files = new ReplacedFiles(directory, (from, to) => {
      renamed.push(`${readFileSync(from, 'utf8')} > ${to}`);
      renameSync(from, to);
    });
    files.write({ token: 'one' });
    expect(renamed).toEqual([`one > ${join(directory, 'token')}`]);
  });

  it('tries again while another program has the file open', () => {
    let refusals = 3;
    const files = new ReplacedFiles(directory, (from, to) => {
      if (refusals-- > 0) throw busy();
      renameSync(from, to);
    });
    files.write({ token: 'one' });
    expect(read('token')).toBe('one');
    expect(readdirSync(directory)).toEqual(['token']);
  });

  it('writes into the file if it stays open', () => {
    const files = new ReplacedFiles(directory, () => {
      throw busy();
    });
    files.write({ token: 'one' });
    expect(read('token')).toBe('one');
    expect(readdirSync(directory)).toEqual(['token']);
  });

  it('reports other failures', () => {
    const files = new ReplacedFiles(directory, () => {
      throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    });
    expect(() => files.write({ token: 'one' })).toThrow('no space left');
  });

  it('removes its files, and the directory only if it did not exist before', () => {
    mkdirSync(directory);
    writeFileSync(join(directory, 'foreign'), '');
    const files = new ReplacedFiles(directory);
    files.write({ token: 'one' });
    files.remove();
    expect(readdirSync(directory)).toEqual(['foreign']);
    const made = new ReplacedFiles(join(root, 'made'));
    made.write({ token: 'one' });
    made.remove();
    expect(readdirSync(root)).toEqual(['mount']);
  });
});
