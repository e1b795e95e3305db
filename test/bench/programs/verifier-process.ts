import { fileURLToPath } from 'node:url';
import { type VerifierOptions } from 'nest-k8s-auth';
import { type BenchContext } from '../figure.js';
import { Child } from '../support/child.js';
import { type ClusterFiles } from '../support/cluster.js';

export interface OpenOptions {
  readonly options: VerifierOptions;
}

export interface VerifyOptions {
  readonly tokens: readonly string[];
  /** How many tokens are verified at the same time. */
  readonly concurrency: number;
}

export interface UncachedOptions {
  readonly issuer: string;
  readonly publicKeysFile: string;
  readonly tokens: readonly string[];
  /** How many of the tokens are not counted: the first ones, for which V8 compiles its code. */
  readonly warmUpTokens: number;
}

export interface VerifyResult {
  readonly accepted: number;
  readonly rejected: number;
  /** `VerifierUnavailableError`, for example. */
  readonly undecided: number;
  /** User and system time of all threads. */
  readonly cpuUs: number;
  readonly durationMs: number;
}

/** A process on the core of the servers that verifies tokens with one verifier at a time. */
export class VerifierProcess {
  private constructor(private readonly child: Child) {}

  static async start(context: BenchContext): Promise<VerifierProcess> {
    const program = fileURLToPath(new URL('verifier.process.js', import.meta.url));
    const { child } = await Child.start(context, {
      name: 'verifier',
      args: ['--expose-gc', program],
      role: 'server',
    });
    return new VerifierProcess(child);
  }

  /** Closes the verifier that was open, and opens one that has seen no token. */
  open(options: VerifierOptions): Promise<void> {
    return this.child.ask('open', { options } satisfies OpenOptions);
  }

  verify(tokens: readonly string[], concurrency = 1): Promise<VerifyResult> {
    return this.child.ask('verify', { tokens, concurrency } satisfies VerifyOptions);
  }

  /** @throws {Error} not every token was accepted */
  async accept(tokens: readonly string[], concurrency = 1): Promise<VerifyResult> {
    const result = await this.verify(tokens, concurrency);
    if (result.accepted === tokens.length) return result;
    const { accepted, rejected, undecided } = result;
    throw new Error(
      `of ${tokens.length} good tokens ${accepted} were accepted, ${rejected} rejected, ${undecided} undecided`,
    );
  }

  /** @returns the CPU time for each token, without the memory of the verifier, microseconds */
  async verifyUncached(options: UncachedOptions): Promise<number> {
    const cpuUs = await this.child.ask<number>('verifyUncached', options);
    return cpuUs / (options.tokens.length - options.warmUpTokens);
  }

  usedBytes(): Promise<number> {
    return this.child.ask('usedBytes');
  }

  close(): Promise<void> {
    return this.child.close();
  }
}

/** The options of each kind of verifier for the stand-in. */
export function verifierOptions<K extends VerifierOptions['kind']>(
  kind: K,
  { url, caFile, tokenFile, issuer, publicKeysFile }: ClusterFiles,
): VerifierOptions {
  const apiServer = { url, caFile, tokenFile };
  if (kind === 'jwt-pubkey') return { kind, issuer, publicKeyFiles: [publicKeysFile] };
  // Longer than a run, so that no token is reviewed twice because of its age.
  if (kind === 'tokenreview') return { kind, apiServer, successLifetimeMs: 300_000 };
  if (kind === 'hybrid') return { kind, apiServer, revocationCheckMs: 600_000 };
  return { kind: 'oidc-discovery', apiServer };
}
