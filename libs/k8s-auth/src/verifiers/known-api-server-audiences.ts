import { POD_TOKEN_FILE } from '../api-server/in-cluster.js';
import { audiencesNamedBy, USUAL_API_SERVER_AUDIENCES } from '../jwt/unverified-claims.js';
import { readTokenFile } from '../token-file/token-file.js';
import { type K8sAuthOptions } from '../config/k8s-auth.options.js';
import { type VerifierOptions } from './index.js';
import { type TokenVerifier } from './token-verifier.js';

/**
 * A token issued for the API server opens the Kubernetes API: no other service should receive one.
 * @param audiences audience -> the routes that require it; the option `audience` counts too, whether a route uses it or not
 * @internal
 */
export async function findApiServerAudienceMistakes(
  verifier: TokenVerifier | undefined,
  { verifier: verifierOptions, audience, allowApiServerAudience }: K8sAuthOptions,
  audiences: ReadonlyMap<string, readonly string[]>,
): Promise<string[]> {
  if (allowApiServerAudience) return [];
  const taken = await findApiServerAudiences(verifier, verifierOptions);
  const named = new Set([...[audience ?? []].flat(), ...audiences.keys()]);
  return [...named]
    .filter((one) => taken.has(one))
    .map((one) => {
      const routes = audiences.get(one);
      return (
        `${routes ? `audience of ${routes.join(', ')}` : "option 'audience'"}: expected one of this service's own, ` +
        `but the API server accepts '${one}' too (option 'allowApiServerAudience' allows it)`
      );
    });
}

/**
 * The audiences that the API server itself accepts, as far as they are known at boot: the usual ones, the configured
 * issuers, what the verifier knows, and those of the pod's own API token, if it has one. What becomes known later is
 * the business of ApiServerAudienceFence.
 * @internal
 */
export async function findApiServerAudiences(
  verifier: TokenVerifier | undefined,
  options: VerifierOptions | undefined,
  podTokenFile: string = POD_TOKEN_FILE,
): Promise<ReadonlySet<string>> {
  const issuers = options && 'issuer' in options ? [options.issuer ?? []].flat() : [];
  const known = (await verifier?.apiServerAudiences()) ?? [];
  return new Set([
    ...USUAL_API_SERVER_AUDIENCES,
    ...issuers,
    ...known,
    ...(await audiencesOfToken(podTokenFile)),
  ]);
}

async function audiencesOfToken(file: string): Promise<readonly string[]> {
  try {
    return audiencesNamedBy((await readTokenFile(file)).claims ?? {});
  } catch {
    // No pod, or a pod without an API token: then there is nothing to compare with.
    return [];
  }
}
