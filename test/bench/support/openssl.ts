import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { pin } from './pin.js';

export type OpensslAlgorithm = 'rsa2048' | 'ecdsap256';

// openssl signs for one such time and verifies for another.
const SECONDS = '1';

/**
 * The signatures that `openssl speed` verifies per second on the core of the servers: the limit for everything that
 * uses OpenSSL. Takes 2 s.
 * @returns `undefined` if openssl is not installed
 */
export async function opensslVerifiesPerSecond(
  algorithm: OpensslAlgorithm,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { command, args } = pin('server', {
    command: 'openssl',
    args: ['speed', '-mr', '-seconds', SECONDS, algorithm],
  });
  const output = await promisify(execFile)(command, [...args], { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    const { code } = error as { code?: unknown };
    // `taskset` ends with 127 if it does not find the command.
    if (code === 'ENOENT' || code === 127) return undefined;
    throw error;
  });
  if (!output) return undefined;
  // +F2 (RSA) or +F4 (ECDSA) : index : bits : signatures per second : verifications per second
  const [, last] = /^\+F[24]:\d+:\d+:[\d.e-]+:([\d.e-]+)$/m.exec(output.stdout) ?? [];
  if (last === undefined) throw new Error('openssl speed: unknown output');
  // openssl 1.1 prints seconds per operation instead.
  return Number(last) > 1 ? Number(last) : 1 / Number(last);
}
