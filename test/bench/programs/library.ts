import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Clock, type Verifier, type VerifierOptions, type Verify } from 'nest-k8s-auth';

/** A definition of the library, as `verifiers/verifier.ts` declares it. */
interface VerifierDefinition {
  create(options: VerifierOptions, context: object): Promise<Verifier>;
}

// The package exports no verifier alone, so the entry for tools of this workspace is imported by its path.
const internal = new URL('../../../libs/k8s-auth/dist/src/internal.js', import.meta.url);
const { findVerifierDefinition, systemClock, JwtVerifier, KeySet, verificationKeyOf } = (await import(
  internal.href
)) as {
  findVerifierDefinition: (this: void, kind: string) => VerifierDefinition | undefined;
  systemClock: Clock;
  JwtVerifier: new (keys: object, options: object) => { verify: Verify };
  KeySet: new (keys: readonly object[]) => { candidates(header: unknown): readonly object[] };
  verificationKeyOf: (this: void, key: KeyObject) => object;
};

/** Creates and starts a verifier in the same way as `K8sAuthModule`. Warnings are written to stderr. */
export async function openVerifier(options: VerifierOptions): Promise<Verifier> {
  const definition = findVerifierDefinition(options.kind);
  if (!definition) throw new Error(`the library has no verifier "${options.kind}"`);
  const warn = (event: object) => process.stderr.write(`${JSON.stringify(event)}\n`);
  const log = { log: () => {}, warn, error: warn };
  const verifier = await definition.create(options, { clock: systemClock, log, environment: {} });
  verifier.start();
  return verifier;
}

/** The verification of `jwt-pubkey` without its memory: each call checks the whole token. */
export async function openUncached(issuer: string, publicKeysFile: string): Promise<Verify> {
  const blocks =
    (await readFile(publicKeysFile, 'utf8')).match(/-----BEGIN[^]*?-----END [A-Z ]+-----/g) ?? [];
  const keys = new KeySet(blocks.map((pem) => verificationKeyOf(createPublicKey(pem))));
  const provider = {
    issuers: () => [issuer],
    find: (header: unknown) => keys.candidates(header),
    trusts: () => true,
  };
  return new JwtVerifier(provider, { kind: 'jwt-pubkey', clock: systemClock, clockToleranceMs: 30_000 })
    .verify;
}
