import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  calculateJwkThumbprint,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  SignJWT,
  type JWTPayload,
} from 'jose';
import { type Cluster } from './cluster.fixture.js';

export interface TokenRequest {
  readonly namespace?: string;
  readonly serviceAccount?: string;
  /** When omitted, the API server's own. */
  readonly audience?: string;
  readonly pod?: string;
}

/** A token as the kubelet would get it: `kubectl create token`. */
export async function createToken(
  cluster: Cluster,
  { namespace = 'mytest', serviceAccount = 'default', audience, pod }: TokenRequest = {},
): Promise<string> {
  const token = await cluster.kubectl(
    'create',
    'token',
    serviceAccount,
    '--namespace',
    namespace,
    '--duration=600s',
    ...(audience === undefined ? [] : ['--audience', audience]),
    ...(pod === undefined ? [] : ['--bound-object-kind=Pod', '--bound-object-name', pod]),
  );
  return token.trim();
}

/** The username that the API server returns for the token; `undefined` when it refuses the token. */
export async function reviewToken(
  cluster: Cluster,
  token: string,
  audience: string,
): Promise<string | undefined> {
  const review = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, audiences: [audience] },
  };
  const args = ['create', '--filename=-', '--output=json'];
  const { status } = JSON.parse(await cluster.kubectlWithInput(JSON.stringify(review), ...args)) as {
    status: { authenticated?: boolean; user?: { username?: string } };
  };
  return status.authenticated ? status.user?.username : undefined;
}

/** The token with other claims, signed with the cluster's own key, for example to make it expired. */
export async function signedAnew(
  cluster: Cluster,
  token: string,
  change: (claims: JWTPayload) => JWTPayload,
): Promise<string> {
  const key = createPrivateKey(readFileSync(await cluster.provider('signing-key')));
  const { alg, kid } = decodeProtectedHeader(token);
  return new SignJWT(change(decodeJwt(token))).setProtectedHeader({ alg: alg ?? '', kid }).sign(key);
}

/** The same header and claims, signed with an unknown key. */
export async function signedByStranger(token: string): Promise<string> {
  const { alg = '' } = decodeProtectedHeader(token);
  const { privateKey, publicKey } = await generateKeyPair(alg);
  const kid = await calculateJwkThumbprint(await exportJWK(publicKey));
  return new SignJWT(decodeJwt(token)).setProtectedHeader({ alg, kid }).sign(privateKey);
}
