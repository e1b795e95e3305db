import { type Clock } from '../../src/util/clock.js';
import { type ProjectedVolumeOptions } from '../projected-volume.js';
import { type SigningAlgorithm } from './signing-keys.js';
import { type Forgery } from './token-issuer.js';

export interface LocalClusterOptions {
  /** The clock for tokens, delays and rotations; TLS uses the machine's clock. @default the machine's clock */
  readonly clock?: Clock;
  /** `iss` of the tokens. @default 'https://kubernetes.default.svc.cluster.local' */
  readonly issuer?: string;
  /** Audiences of the API server itself. @default [issuer] */
  readonly apiAudiences?: readonly string[];
  /** @default 'RS256' */
  readonly signingAlgorithm?: SigningAlgorithm;
  /** Shortest lifetime that TokenRequest and projected volumes grant. @default 600000, as in the API server */
  readonly minimumTokenLifetimeMs?: number;
  /** Port on loopback; 0 lets the system choose. @default 0 */
  readonly port?: number;
  /**
   * How long a token that was accepted once stays accepted without a new check. A real API server: 10000.
   * @default 0
   */
  readonly acceptedTokenCacheMs?: number;
}

/** How the API server is unreachable. */
export type OutageKind = 'refuse' | 'hang';

export interface TokenOptions extends Forgery {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** @default the API server's own */
  readonly audiences?: readonly string[];
  /** Any lifetime, without the limits of TokenRequest. @default 3600 */
  readonly expirationSeconds?: number;
  /** Name of the pod to bind the token to; the pod has to run as this ServiceAccount. */
  readonly pod?: string;
}

export interface LegacyTokenOptions extends Forgery {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Name of the Secret that holds the token. @default '<serviceAccount>-token' */
  readonly secret?: string;
}

export interface PodOptions {
  /** @default 'default' */
  readonly serviceAccount?: string;
  /** Where the pod runs. @default 'local-node' */
  readonly node?: string;
}

export interface RotationOptions {
  /**
   * `true`: tokens of the old key stay valid and the key set holds both keys; `false`: these tokens are refused from
   * now on.
   */
  readonly keepOld: boolean;
  /** @default the old key's */
  readonly algorithm?: SigningAlgorithm;
}

export interface KubeconfigOptions {
  /** `<namespace>/<name>`; the cluster's administrator, with a client certificate, when omitted. */
  readonly serviceAccount?: string;
}

export interface InClusterMountOptions {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** The pod that the token is bound to; created when omitted. */
  readonly pod?: string;
  /** @default a new one that `close()` removes */
  readonly directory?: string;
}

export interface ProjectVolumeOptions extends Pick<ProjectedVolumeOptions, 'autoRotate' | 'onRotate'> {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** The pod that the token is bound to; created when omitted. */
  readonly pod?: string;
  /** Name of the token's file. */
  readonly path: string;
  readonly audience: string;
  /** @default 3600 */
  readonly expirationSeconds?: number;
  /** @default a new one that `close()` removes */
  readonly directory?: string;
}
