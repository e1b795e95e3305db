import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type BenchContext } from '../figure.js';
import { pin } from './pin.js';

/** RS256 tokens are signed with `rsa2048`, ES256 with `ecdsap256`, ES384 with `ecdsap384`. */
export type OpensslAlgorithm = 'rsa2048' | 'ecdsap256' | 'ecdsap384';

// `-seconds 1` measures signing for 1 s, then verifying for 1 s. OpenSSL 3.2 and later also measure encryption.
const LIMIT_MS = 20_000;

const run = promisify(execFile);

/**
 * The verifications per CPU second of `openssl speed` on one core, the one of the servers: the limit of what a verifier
 * can reach. Takes about 2 s.
 * @returns `undefined` if there is no usable `openssl`
 */
export async function opensslVerificationsPerSecond(
  context: BenchContext,
  algorithm: OpensslAlgorithm,
): Promise<number | undefined> {
  context.signal.throwIfAborted();
  const { command, args } = pin('server', {
    command: 'openssl',
    // -mr prints one line with colons, and does not round. Without -elapsed, only CPU time counts.
    args: ['speed', '-mr', '-seconds', '1', algorithm],
  });
  try {
    const { stdout } = await run(command, args, { timeout: LIMIT_MS, signal: context.signal });
    return parseSpeed(stdout);
  } catch (error) {
    context.signal.throwIfAborted();
    context.progress(`openssl speed: ${String(error).split('\n', 1)[0]}`);
    return undefined;
  }
}

/** `+F2` is RSA and `+F4` is ECDSA: index, key size, signatures/s, verifications/s; later versions add fields. */
function parseSpeed(output: string): number | undefined {
  const [, perSecond] = /^\+F[24]:\d+:\d+:[\d.]+:([\d.]+)/m.exec(output) ?? [];
  return perSecond === undefined ? undefined : Number(perSecond);
}
