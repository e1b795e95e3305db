import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type BenchContext } from '../figure.js';
import { build } from './go.js';

const { PATH } = process.env;

describe('build', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bench-go-'));
    process.env.PATH = directory;
  });

  afterEach(() => {
    process.env.PATH = PATH;
    rmSync(directory, { recursive: true, force: true });
  });

  /** Installs a program `go` that writes down its arguments and then runs `script`. */
  function installGo(script: string): void {
    const file = join(directory, 'go');
    const version = 'if [ "$1" = version ]; then echo "go version go1.26"; exit 0; fi';
    writeFileSync(file, `#!/bin/sh\n${version}\necho "$*" >> "${directory}/calls"\n${script}\n`);
    chmodSync(file, 0o755);
  }

  const calls = () => readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n');

  function buildFrom(digest: string): ReturnType<typeof build> {
    const context: BenchContext = {
      isShort: false,
      rounds: 1,
      directory,
      progress: () => {},
      signal: new AbortController().signal,
    };
    const binaries = join(directory, 'binaries');
    return build(context, { name: 'peers', digest, sources: directory, binaries, args: ['build'] });
  }

  it('says that Go is not installed', async () => {
    expect(await buildFrom('a')).toEqual({ unavailable: 'Go is not installed' });
  });

  it('builds once, and again only if a source has changed', async () => {
    installGo('exit 0');
    expect(await buildFrom('a')).toEqual({ directory: join(directory, 'binaries') });
    await buildFrom('a');
    expect(calls()).toEqual(['build']);
    await buildFrom('b');
    expect(calls()).toEqual(['build', 'build']);
  });

  it('reports the last line of a failed build without its address, and tries again in the next run', async () => {
    installGo('echo "first" >&2; echo "reading https://registry.example/x: not available" >&2; exit 1');
    expect(await buildFrom('a')).toEqual({
      unavailable: 'go could not build peers: reading (URL) not available',
    });
    await buildFrom('a');
    expect(calls()).toEqual(['build', 'build']);
  });
});
