import { hybridDefinition } from './hybrid/hybrid.definition.js';
import { jwtPubkeyDefinition } from './jwt-pubkey/jwt-pubkey.definition.js';
import { oidcDiscoveryDefinition } from './oidc-discovery/oidc-discovery.definition.js';
import { tokenreviewDefinition } from './tokenreview/tokenreview.definition.js';
import { type VerifierDefinition } from './verifier.js';

/** THE LIST of verifiers: option types, validation, environment variables and creation all follow from it. */
export const verifierDefinitions = [
  tokenreviewDefinition,
  jwtPubkeyDefinition,
  oidcDiscoveryDefinition,
  hybridDefinition,
] as const;

type OptionsOf<Definition> = Definition extends VerifierDefinition<infer Options> ? Options : never;

/** The options of one verifier; `kind` says of which. Those of two cannot be mixed. @publicApi */
export type VerifierOptions = OptionsOf<(typeof verifierDefinitions)[number]>;

/** A definition whose options are known to be its own, because its schema has checked them. @internal */
export type AnyVerifierDefinition = VerifierDefinition<VerifierOptions>;

/** @internal */
export function findVerifierDefinition(kind: unknown): AnyVerifierDefinition | undefined {
  // Each definition takes its own options only; that the two belong together is what its schema checks.
  return (verifierDefinitions as readonly unknown[] as readonly AnyVerifierDefinition[]).find(
    (definition) => definition.kind === kind,
  );
}

/** @internal */
export const verifierKinds: readonly string[] = verifierDefinitions.map(({ kind }) => kind);
