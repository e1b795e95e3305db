import { POD_TOKEN_FILE } from './api-server/in-cluster.js';
import { audiencesOf } from './shared/unverified-claims.js';
import { readTokenFile } from './shared/token-file.js';
import { type TokenVerifier } from './verifiers/token-verifier.js';

/** What API servers accept by default (kubeadm, and the older form without a cluster domain). */
const USUAL = ['https://kubernetes.default.svc', 'https://kubernetes.default.svc.cluster.local'];

/**
 * The audiences that the API server itself accepts, as far as they are known at boot: the usual ones, the verifier's
 * issuer, and those of the pod's own API token, if it has one.
 * @internal
 */
export async function findApiServerAudiences(
  verifier: TokenVerifier | undefined,
  podTokenFile: string = POD_TOKEN_FILE,
): Promise<ReadonlySet<string>> {
  const known = (await verifier?.apiServerAudiences()) ?? [];
  return new Set([...USUAL, ...known, ...(await audiencesOfToken(podTokenFile))]);
}

async function audiencesOfToken(file: string): Promise<readonly string[]> {
  try {
    const { claims } = await readTokenFile(file);
    return [...(audiencesOf(claims) ?? []), ...(typeof claims.iss === 'string' ? [claims.iss] : [])];
  } catch {
    // No pod, or a pod without an API token: then there is nothing to compare with.
    return [];
  }
}
