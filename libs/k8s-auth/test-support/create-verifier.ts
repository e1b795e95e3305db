import { type ZodType } from 'zod';
import { type OwnCluster } from '../src/api-server/own-cluster.fixture.js';
import { type Verifier, type VerifierDefinition } from '../src/verifiers/verifier.js';

/** A verifier that calls the API server of the cluster as its own pod. @param more options in addition to `apiServer` */
export function createVerifier<Options extends { readonly kind: string }>(
  { cluster, tokenFile, clock, log }: OwnCluster,
  definition: VerifierDefinition<Options>,
  more: Partial<Options> = {},
): Promise<Verifier> {
  const apiServer = { url: cluster.url, caFile: cluster.caFile, tokenFile };
  const options = (definition.schema as unknown as ZodType<Options>).parse({
    kind: definition.kind,
    apiServer,
    ...more,
  });
  return definition.create(options, { clock, log, environment: {} });
}
