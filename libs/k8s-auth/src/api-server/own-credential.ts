import { VerifierUnavailableError } from '../errors/index.js';
import { B64TOKEN } from '../shared/b64token.js';
import { SingleFlight } from '../shared/single-flight.js';
import { type TokenSource } from '../shared/token-source.js';
import { readUnverifiedClaims, type UnverifiedClaims } from '../shared/unverified-claims.js';

/**
 * The process's own token for the API server: it goes to that origin and nowhere else. There is no anonymous way:
 * what has no token throws.
 */
export interface OwnCredential {
  /** @throws {Error} there is none; never with token text */
  token(): Promise<string>;
  /** Reads it afresh, because `rejected` was answered with 401. @returns another token, or `undefined` */
  renew(rejected: string): Promise<string | undefined>;
  /** What the token says of itself; `undefined` when it is no JWT. @throws {Error} there is no token */
  claims(): Promise<UnverifiedClaims | undefined>;
}

/**
 * The API server answers 401 to us, with the latest token there is: that of a pod or ServiceAccount that is gone, or
 * one whose key the cluster has dropped.
 * @internal
 */
export class OwnCredentialRefusedError extends VerifierUnavailableError {}

/** The token of a file that is replaced under way. @internal */
export class FileCredential implements OwnCredential {
  constructor(private readonly source: TokenSource) {}

  async token(): Promise<string> {
    return this.source.current() ?? (await this.source.getToken());
  }

  renew(rejected: string): Promise<string | undefined> {
    return this.source.renew(rejected);
  }

  async claims(): Promise<UnverifiedClaims | undefined> {
    return readUnverifiedClaims(await this.token());
  }
}

/** A token that somebody else keeps: a kubeconfig, or the plugin that it names. @internal */
export class AskedCredential implements OwnCredential {
  private readonly asking = new SingleFlight<boolean, string>();

  /** @param ask gives the token; `afresh` means that the one it gave was refused */
  constructor(private readonly ask: (afresh: boolean) => Promise<string | undefined>) {}

  token(): Promise<string> {
    return this.askFor(false);
  }

  async renew(rejected: string): Promise<string | undefined> {
    const token = await this.askFor(true);
    return token === rejected ? undefined : token;
  }

  async claims(): Promise<UnverifiedClaims | undefined> {
    return readUnverifiedClaims(await this.token());
  }

  private askFor(afresh: boolean): Promise<string> {
    return this.asking.run(afresh, async () => {
      const token = (await this.ask(afresh))?.trim() ?? '';
      // A newline at the end of a token would otherwise end up in an error that quotes the header.
      if (!B64TOKEN.test(token)) throw new Error('own credential is no bearer token');
      return token;
    });
  }
}
