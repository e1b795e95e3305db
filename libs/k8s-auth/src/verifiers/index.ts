import { hybridDefinition } from './hybrid/hybrid.definition.js';
import { jwtPubkeyDefinition } from './jwt-pubkey/jwt-pubkey.definition.js';
import { oidcDiscoveryDefinition } from './oidc-discovery/oidc-discovery.definition.js';
import { tokenreviewDefinition } from './tokenreview/tokenreview.definition.js';
import { type VerifierDefinition } from './verifier.js';

/** THE LIST of verifiers. Option types, validation, environment variables and creation are all derived from it. */
export const verifierDefinitions = [
  tokenreviewDefinition,
  jwtPubkeyDefinition,
  oidcDiscoveryDefinition,
  hybridDefinition,
] as const;

type OptionsOf<Definition> = Definition extends VerifierDefinition<infer Options> ? Options : never;

/** The options of one verifier. `kind` selects the verifier; options of two verifiers cannot be mixed. @publicApi */
export type VerifierOptions = OptionsOf<(typeof verifierDefinitions)[number]>;

/** A definition of any verifier. Call it only with options that its own schema has checked. @internal */
export type AnyVerifierDefinition = VerifierDefinition<VerifierOptions>;

/** @internal */
export function findVerifierDefinition(kind: unknown): AnyVerifierDefinition | undefined {
  // The cast hides that each definition accepts only its own options. Its schema checks that at run time.
  return (verifierDefinitions as readonly unknown[] as readonly AnyVerifierDefinition[]).find(
    (definition) => definition.kind === kind,
  );
}

/** @internal */
export const verifierKinds: readonly string[] = verifierDefinitions.map(({ kind }) => kind);
