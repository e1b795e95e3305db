import { createHash, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { type JsonObject } from './jws.js';

export type SigningAlgorithm = 'RS256' | 'ES256';

export interface SigningKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const generate = promisify(generateKeyPair);

/**
 * The keys of ServiceAccount tokens: one signs (`--service-account-signing-key-file`), all of them are accepted and
 * published (`--service-account-key-file`), the oldest first.
 */
export class SigningKeys {
  private accepted: readonly SigningKey[];

  private constructor(private signing: SigningKey) {
    this.accepted = [signing];
  }

  static async create(algorithm: SigningAlgorithm): Promise<SigningKeys> {
    return new SigningKeys(await createSigningKey(algorithm));
  }

  get current(): SigningKey {
    return this.signing;
  }

  get all(): readonly SigningKey[] {
    return this.accepted;
  }

  /** Creates a key that is accepted and published from now on, and does not sign yet. */
  async publish(algorithm: SigningAlgorithm = this.signing.alg): Promise<SigningKey> {
    const key = await createSigningKey(algorithm);
    this.accepted = [...this.accepted, key];
    return key;
  }

  signWith(kid: string): void {
    const key = this.accepted.find((candidate) => candidate.kid === kid);
    if (!key) throw new Error(`key "${kid}" is not published`);
    this.signing = key;
  }

  /** Removes every key except the signing key: tokens of the removed keys are refused from now on. */
  dropOthers(): void {
    this.accepted = [this.signing];
  }

  /** The keys that may verify a token: the key that its `kid` names, or all keys without a `kid`. */
  candidates(kid: unknown): readonly SigningKey[] {
    return kid === undefined || kid === '' ? this.accepted : this.accepted.filter((key) => key.kid === kid);
  }

  /** RFC 7517 §5, members as the API server writes them. */
  toJwks(): { keys: JsonObject[] } {
    return {
      keys: this.accepted.map(({ kid, alg, publicKey }) => {
        const { kty, ...parameters } = publicKey.export({ format: 'jwk' });
        return { use: 'sig', kty, kid, alg, ...parameters };
      }),
    };
  }

  /** The content of the file `sa.pub`: every accepted key, one PEM block after the other. */
  toPem(): string {
    return this.accepted
      .map(({ publicKey }) => publicKey.export({ type: 'spki', format: 'pem' }).toString())
      .join('');
  }
}

async function createSigningKey(alg: SigningAlgorithm): Promise<SigningKey> {
  const { publicKey, privateKey } =
    alg === 'RS256'
      ? await generate('rsa', { modulusLength: 2048 })
      : await generate('ec', { namedCurve: 'P-256' });
  return { kid: keyId(publicKey), alg, publicKey, privateKey };
}

/** base64url(SHA-256(SubjectPublicKeyInfo)), as Kubernetes computes it (pkg/serviceaccount keyIDFromPublicKey). */
function keyId(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
}
