import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type BenchContext } from '../figure.js';
import { opensslVerificationsPerSecond } from './openssl.js';

const { PATH = '' } = process.env;

describe('opensslVerificationsPerSecond', () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bench-openssl-'));
    process.env.PATH = [directory, PATH].join(delimiter);
  });

  afterEach(() => {
    process.env.PATH = PATH;
    rmSync(directory, { recursive: true, force: true });
  });

  function installOpenssl(script: string): void {
    const file = join(directory, 'openssl');
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }

  function measure(): Promise<number | undefined> {
    const context: BenchContext = {
      isShort: false,
      rounds: 1,
      directory,
      progress: () => {},
      signal: new AbortController().signal,
    };
    return opensslVerificationsPerSecond(context, 'rsa2048');
  }

  it.each([
    ['RSA', '+F2:2:2048:3912.121212:62813.333333', 62813.333333],
    ['RSA, as OpenSSL 3.2 and later print it', '+F2:2:2048:2065.0:70541.5:67941.2:2052.5', 70541.5],
    ['ECDSA', '+F4:3:256:51030.769231:16000.000000', 16000],
  ])('reads the verifications per second of %s', async (_, line, expected) => {
    installOpenssl(`echo "+DTP:2048:private:rsa:1"; echo "${line}"`);
    expect(await measure()).toBe(expected);
  });

  it('returns undefined if openssl fails, or prints something else', async () => {
    installOpenssl('echo "unknown option -mr" >&2; exit 1');
    expect(await measure()).toBeUndefined();
    installOpenssl('echo "LibreSSL"');
    expect(await measure()).toBeUndefined();
  });
});
