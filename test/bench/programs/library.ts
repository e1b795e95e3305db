import { type Clock, type Verifier, type VerifierOptions } from 'nest-k8s-auth';

/** A definition of the library, as `verifiers/verifier.ts` declares it. */
interface VerifierDefinition {
  create(options: VerifierOptions, context: object): Promise<Verifier>;
}

// The package exports no verifier alone, so the entry for tools of this workspace is imported by its path.
const internal = new URL('../../../libs/k8s-auth/dist/src/internal.js', import.meta.url);
const { findVerifierDefinition, systemClock } = (await import(internal.href)) as {
  findVerifierDefinition: (this: void, kind: string) => VerifierDefinition | undefined;
  systemClock: Clock;
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
