import { type Clock, type Verifier, type VerifierOptions } from 'nest-k8s-auth';

/** A definition of the library, as `verifiers/verifier.ts` declares it. */
interface VerifierDefinition {
  create(options: VerifierOptions, context: object): Promise<Verifier>;
}

// The package exports no verifier alone, so the files of the build are imported by their path.
const built = new URL('../../../libs/k8s-auth/dist/src/', import.meta.url);
const { findVerifierDefinition } = (await import(new URL('verifiers/index.js', built).href)) as {
  findVerifierDefinition: (this: void, kind: string) => VerifierDefinition | undefined;
};
const { systemClock } = (await import(new URL('util/clock.js', built).href)) as { systemClock: Clock };

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
