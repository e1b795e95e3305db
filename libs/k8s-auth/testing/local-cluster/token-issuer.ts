import { type KeyObject, randomUUID } from 'node:crypto';
import { type Clock } from '../../src/util/clock.js';
import { formatUsername } from '../../src/identity/names.js';
import { badRequest } from './api-error.js';
import { type ClusterState } from './cluster-state.js';
import { isJsonObject, type JsonObject, signCompact } from './jws.js';
import { type ClusterObject } from './object-store.js';
import { type SigningKeys } from './signing-keys.js';

export interface BoundTokenRequest {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** @default the API server's own */
  readonly audiences?: readonly string[];
  /** @default 3600 */
  readonly expirationSeconds?: number;
  /** Name of the pod that the token is bound to. */
  readonly pod?: string;
}

/** How a forged token differs from a real one. */
export interface Forgery {
  /**
   * Members that are merged deeply into the real claims (`undefined` removes a member); a function may return the
   * payload's text.
   */
  readonly claims?: JsonObject | ((honest: JsonObject) => JsonObject | string);
  /** Members that override `alg` and `kid`; the signature uses this `alg`, even `none`. */
  readonly header?: JsonObject;
  /** A private key, or a secret one for HMAC. */
  readonly key?: KeyObject;
}

// An automounted token is requested with 3607 s; the API server extends this to a year and writes the 3607 s to
// "warnafter" (pkg/serviceaccount WarnOnlyBoundTokenExpiration, ExpirationExtensionSeconds).
const WARN_ONLY_SECONDS = 3607;
const EXTENDED_SECONDS = 365 * 24 * 3600;
const DEFAULT_SECONDS = 3600;

export interface TokenIssuerParts {
  readonly clock: Clock;
  readonly state: ClusterState;
  readonly keys: SigningKeys;
  readonly issuer: string;
  readonly apiAudiences: readonly string[];
}

/** Creates the same tokens as the API server: claims of KEP-1205 and KEP-4193, flat ones for legacy Secrets. */
export class TokenIssuer {
  constructor(private readonly parts: TokenIssuerParts) {}

  /** @throws {ApiError} the ServiceAccount or the pod does not exist, or they do not belong together */
  issueBound(request: BoundTokenRequest, forgery: Forgery = {}): string {
    return this.sign(this.boundClaims(request), forgery);
  }

  issueLegacy(
    { namespace, serviceAccount, secret }: { namespace: string; serviceAccount: string; secret: string },
    forgery: Forgery = {},
  ): string {
    const { state } = this.parts;
    const { metadata } = state.serviceAccounts.get(serviceAccount, namespace);
    if (!state.secrets.find(secret, namespace)) {
      state.secrets.create({ name: secret, namespace, spec: { serviceAccountName: serviceAccount } });
    }
    return this.sign(
      {
        iss: 'kubernetes/serviceaccount',
        'kubernetes.io/serviceaccount/namespace': namespace,
        'kubernetes.io/serviceaccount/secret.name': secret,
        'kubernetes.io/serviceaccount/service-account.name': serviceAccount,
        'kubernetes.io/serviceaccount/service-account.uid': metadata.uid,
        sub: formatUsername({ namespace, name: serviceAccount }),
      },
      forgery,
    );
  }

  private boundClaims(request: BoundTokenRequest): JsonObject {
    const { clock, state, issuer, apiAudiences } = this.parts;
    const { namespace, serviceAccount, pod } = request;
    const { audiences = apiAudiences, expirationSeconds = DEFAULT_SECONDS } = request;
    const account = state.serviceAccounts.get(serviceAccount, namespace);
    const boundPod = pod === undefined ? undefined : state.pods.get(pod, namespace);
    if (boundPod && boundPod.spec?.serviceAccountName !== serviceAccount) {
      throw badRequest(
        `cannot bind token for serviceaccount "${serviceAccount}" to pod running with different serviceaccount name.`,
      );
    }
    const nowSeconds = Math.floor(clock.wallMs() / 1000);
    const isExtended =
      boundPod !== undefined &&
      expirationSeconds === WARN_ONLY_SECONDS &&
      audiences.every((audience) => apiAudiences.includes(audience));
    return {
      aud: [...audiences],
      exp: nowSeconds + (isExtended ? EXTENDED_SECONDS : expirationSeconds),
      iat: nowSeconds,
      iss: issuer,
      jti: randomUUID(),
      'kubernetes.io': {
        namespace,
        ...(boundPod && this.podClaims(boundPod)),
        serviceaccount: { name: serviceAccount, uid: account.metadata.uid },
        ...(isExtended && { warnafter: nowSeconds + expirationSeconds }),
      },
      nbf: nowSeconds,
      sub: formatUsername({ namespace, name: serviceAccount }),
    };
  }

  private podClaims({ metadata, spec }: ClusterObject): JsonObject {
    const name = spec?.nodeName;
    // A node that no longer exists is still named, without a UID.
    const uid = typeof name === 'string' ? this.parts.state.nodes.find(name)?.metadata.uid : undefined;
    return {
      ...(name !== undefined && { node: { name, ...(uid !== undefined && { uid }) } }),
      pod: { name: metadata.name, uid: metadata.uid },
    };
  }

  private sign(honest: JsonObject, { claims = {}, header = {}, key }: Forgery): string {
    const { current } = this.parts.keys;
    const payload = typeof claims === 'function' ? claims(honest) : mergeDeep(honest, claims);
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    return signCompact({ alg: current.alg, kid: current.kid, ...header }, text, key ?? current.privateKey);
  }
}

function mergeDeep(base: JsonObject, changes: JsonObject): JsonObject {
  const merged: JsonObject = { ...base };
  for (const [name, change] of Object.entries(changes)) {
    const old = merged[name];
    merged[name] = isJsonObject(old) && isJsonObject(change) ? mergeDeep(old, change) : change;
  }
  return merged;
}
