/** Verifiers of the library without Nest and HTTP. Asked by verifier-process.ts. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Verifier } from 'nest-k8s-auth';
import { AUDIENCE } from '../support/cluster.js';
import { announce, answerParent } from '../support/program.js';
import { openUncached, openVerifier } from './library.js';
import {
  type OpenOptions,
  type UncachedOptions,
  type VerifyOptions,
  type VerifyResult,
} from './verifier-process.js';

// About as many as fit into the part of a turn that the library spends on signatures.
const TOKENS_PER_TURN = 6;
const AUDIENCES = [AUDIENCE];

let opened: Verifier | undefined;

async function open({ options }: OpenOptions): Promise<void> {
  await close();
  opened = await openVerifier(options);
}

async function close(): Promise<void> {
  await opened?.close();
  opened = undefined;
}

/** Takes the next token as soon as one of the `concurrency` verifications has ended. */
async function verify({ tokens, concurrency }: VerifyOptions): Promise<VerifyResult> {
  const verifier = opened;
  if (!verifier) throw new Error('no verifier is open');
  // As from a request: each token is a new string, which was never a key of a map before. The bytes are outside of the heap, so
  // that the garbage collector does not move all tokens during the measurement.
  const received = tokens.map((token) => Buffer.from(token, 'latin1'));
  const counts = { accepted: 0, rejected: 0, undecided: 0 };
  let next = 0;
  const before = process.cpuUsage();
  const startedMs = performance.now();
  const lane = async (): Promise<void> => {
    for (let bytes = received[next++]; bytes !== undefined; bytes = received[next++]) {
      // As with requests: a few arrive in each turn of the event loop.
      if (next % TOKENS_PER_TURN === 0) await nextTurn();
      counts[await outcomeOf(verifier, bytes.toString('latin1'))]++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  const { user, system } = process.cpuUsage(before);
  return { ...counts, cpuUs: user + system, durationMs: performance.now() - startedMs };
}

async function outcomeOf(verifier: Verifier, token: string): Promise<'accepted' | 'rejected' | 'undecided'> {
  try {
    const verdict = verifier.verify(token, AUDIENCES);
    // As the guard does: a verdict from memory is not awaited.
    if (verdict instanceof Promise) await verdict;
    return 'accepted';
  } catch (error) {
    return (error as Error).name === 'InvalidTokenError' ? 'rejected' : 'undecided';
  }
}

/**
 * Verifies each token once, with a verification that remembers nothing.
 * @throws {Error} a token is not accepted
 */
async function verifyUncached(options: UncachedOptions): Promise<number> {
  const { issuer, publicKeysFile, tokens, warmUpTokens } = options;
  const verifyToken = await openUncached(issuer, publicKeysFile);
  const received = tokens.map((token) => Buffer.from(token, 'latin1'));
  let before = process.cpuUsage();
  for (let next = 0; next < received.length; next++) {
    if (next % TOKENS_PER_TURN === 0) await nextTurn();
    if (next === warmUpTokens) before = process.cpuUsage();
    const verdict = verifyToken(received[next]?.toString('latin1') ?? '', AUDIENCES);
    if (verdict instanceof Promise) await verdict;
  }
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Heap and external memory that are in use after a garbage collection. Needs `--expose-gc`. */
async function usedBytes(): Promise<number> {
  const { gc } = globalThis;
  if (!gc) throw new Error('expected --expose-gc');
  // Finalizers run between collections, and free more.
  for (let pass = 0; pass < 3; pass++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

answerParent({ open, close, verify, verifyUncached, usedBytes });
announce('');
