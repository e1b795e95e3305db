import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AtomicDirectory } from './atomic-directory.js';

describe('AtomicDirectory', () => {
  let root: string;
  let directory: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'atomic-directory-'));
    directory = join(root, 'mount');
  });

  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('shows all files of one write through the same link', () => {
    new AtomicDirectory(directory).write({ token: 'one', namespace: 'shop' }, 0);
    expect(readFileSync(join(directory, 'token'), 'utf8')).toBe('one');
    expect(readFileSync(join(directory, 'namespace'), 'utf8')).toBe('shop');
    expect(readlinkSync(join(directory, 'namespace'))).toBe('..data/namespace');
  });

  it('shows new names and hides removed names', () => {
    const files = new AtomicDirectory(directory);
    files.write({ a: '1', b: '1' }, 0);
    files.write({ b: '2', c: '2' }, 0);
    expect(readdirSync(directory).filter((name) => !name.startsWith('..'))).toEqual(['b', 'c']);
    expect(readFileSync(join(directory, 'b'), 'utf8')).toBe('2');
  });

  it('swaps twice within the same second', () => {
    const files = new AtomicDirectory(directory);
    files.write({ a: '1' }, 0);
    files.write({ a: '2' }, 0);
    expect(readFileSync(join(directory, 'a'), 'utf8')).toBe('2');
    expect(readdirSync(directory)).toHaveLength(3);
  });

  it('recovers from an interrupted swap', () => {
    mkdirSync(directory);
    symlinkSync('nowhere', join(directory, '..data_tmp'));
    new AtomicDirectory(directory).write({ a: '1' }, 0);
    expect(existsSync(join(directory, '..data_tmp'))).toBe(false);
    expect(readFileSync(join(directory, 'a'), 'utf8')).toBe('1');
  });

  it('does not change other links', () => {
    mkdirSync(directory);
    symlinkSync('elsewhere', join(directory, 'foreign'));
    const files = new AtomicDirectory(directory);
    files.write({ a: '1' }, 0);
    files.remove();
    expect(readdirSync(directory)).toEqual(['foreign']);
  });

  it('removes nothing if nothing was written', () => {
    mkdirSync(directory);
    new AtomicDirectory(directory).remove();
    expect(readdirSync(directory)).toEqual([]);
  });
});
