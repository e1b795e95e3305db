import { type UnverifiedHeader } from '../../jwt/compact-jws.js';
import { type JwtTrust, JwtVerification, type JwtVerificationOptions } from '../jwt.verifier.js';
import { type Readiness, type TokenVerifier, type Verdict } from '../token-verifier.js';
import { type PublicKeyFiles } from '../../keys/public-key-files.js';

/** Verifies with the keys of files: {@link JwtVerification} does the looking, {@link PublicKeyFiles} has the keys. @internal */
export class JwtPubkeyVerifier implements TokenVerifier {
  readonly kind: string;
  private readonly verification: JwtVerification;

  constructor(
    private readonly issuers: readonly string[],
    private readonly keyFiles: PublicKeyFiles,
    options: JwtVerificationOptions,
  ) {
    this.kind = options.kind;
    const trust: JwtTrust = {
      issuers: () => issuers,
      candidates: (header: UnverifiedHeader) => keyFiles.candidates(header),
    };
    this.verification = new JwtVerification(trust, options);
  }

  verify(token: string, audiences: readonly string[]): Promise<Verdict> {
    return this.verification.verify(token, audiences);
  }

  hydrate(): void {
    this.keyFiles.start();
  }

  readiness(): Readiness {
    return this.keyFiles.readiness();
  }

  /** A cluster's issuer is what its API server accepts as audience when nobody says otherwise. */
  apiServerAudiences(): Promise<readonly string[]> {
    return Promise.resolve(this.issuers);
  }

  close(): Promise<void> {
    this.keyFiles.stop();
    return Promise.resolve();
  }
}
