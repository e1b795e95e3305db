import { VerifierUnavailableError } from '../errors.js';
import { HEADER_VALUE } from '../util/syntax.js';
import { type TlsSettings } from '../http/tls-source.js';
import { plainErrorOf } from '../util/plain-error.js';
import { type Deadline, inWholeMs, settleBefore, SingleFlight } from '../util/timers.js';
import { NoAnswerError } from './retry-policy.js';
import { type FileTokenSource } from '../token-file/file-token-source.js';
import { readUnverifiedClaims, type UnverifiedClaims } from '../jwt/jwt-claims.js';

/** The methods that are used of the source of a token file. */
export type TokenSource = Pick<FileTokenSource, 'current' | 'getToken' | 'renew'>;

/** A certificate and its private key, as PEM text. */
export type ClientCertificate = Required<Pick<TlsSettings, 'cert' | 'key'>>;

/**
 * The process's own credential for the API server, in any form that the API server accepts. It is sent only to the API
 * server's origin. No request is sent anonymously: if there is no credential, reading it throws.
 */
export interface OwnCredential {
  /**
   * The bearer token, or `undefined` if we authenticate with the client certificate alone.
   * @throws {Error} there is no token; the error never contains token text
   */
  token(): Promise<string | undefined>;
  /**
   * Reads the credential again after the API server answered `rejected` with 401, unless a newer one was already read.
   * @returns whether there is a newer credential now
   */
  renew(rejected: CredentialValue): Promise<boolean>;
  /** The claims of the token; `undefined` if it is not a JWT. @throws {Error} there is no credential */
  claims(): Promise<UnverifiedClaims | undefined>;
  /** The client certificate of the credential that was last read. A changed certificate is another object. */
  clientCertificate?(): ClientCertificate | undefined;
  /** Permanently stops reading the credential. Otherwise a running plugin would prevent the process from exiting. */
  close?(): void;
}

/**
 * The API server answers 401 to our latest credential. Its pod or ServiceAccount was deleted, or the cluster has
 * removed the key that signed it.
 * @internal
 */
export class OwnCredentialRefusedError extends VerifierUnavailableError {}

/** We have no credential to call the API server with. The circuit breaker treats this as an outage. @internal */
export class OwnCredentialUnreadableError extends NoAnswerError {
  override readonly outageMessage = 'API server cannot be called without our own credential';

  /** Not an outage of the API server, so not an {@link OutageError}. */
  override refusal(): VerifierUnavailableError {
    return new VerifierUnavailableError(this.outageMessage, { cause: this });
  }
}

/**
 * Waits for our own credential until the deadline.
 * @throws {OwnCredentialUnreadableError} the read failed, or the deadline has passed
 * @internal
 */
export async function readWithinDeadline<Value>(deadline: Deadline, reading: Promise<Value>): Promise<Value> {
  try {
    return await settleBefore(deadline, reading);
  } catch (error) {
    const message = deadline.isOver
      ? `own credential could not be read within ${inWholeMs(deadline.timeoutMs)}`
      : 'own credential cannot be read';
    throw new OwnCredentialUnreadableError(message, { cause: plainErrorOf(error) });
  }
}

/** Our own user name, read from our own token, for messages about a missing right. @internal */
export async function readOwnUserName(self: {
  ownClaims(): Promise<UnverifiedClaims | undefined>;
}): Promise<string> {
  const { sub } = (await self.ownClaims().catch(() => undefined)) ?? {};
  return typeof sub === 'string' && /^[\w:.@/-]{1,350}$/.test(sub) ? sub : 'the user of our own credential';
}

/** The token in a file that is replaced from time to time. @internal */
export class FileCredential implements OwnCredential {
  readonly #source: TokenSource;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  async token(): Promise<string> {
    return this.#source.current() ?? (await this.#source.getToken());
  }

  async renew({ token = '' }: CredentialValue): Promise<boolean> {
    return (await this.#source.renew(token)) !== undefined;
  }

  async claims(): Promise<UnverifiedClaims | undefined> {
    return readUnverifiedClaims(await this.token());
  }
}

/** A token, a client certificate, or both, from a kubeconfig or its plugin. */
export interface CredentialValue {
  readonly token?: string | undefined;
  /** The same object as long as the certificate does not change. */
  readonly certificate?: ClientCertificate | undefined;
}

/** A credential that comes from a kubeconfig, or from the plugin that it names. @internal */
export class KubeconfigCredential implements OwnCredential {
  readonly #reads = new SingleFlight<boolean, CredentialValue>();
  readonly #readSource: (forceRefresh: boolean) => Promise<CredentialValue>;
  readonly #close: () => void;
  #current?: CredentialValue;

  /**
   * @param readSource returns the credential; `forceRefresh` means that the API server refused the last one
   * @param close stops the work that `readSource` has started
   */
  constructor(readSource: (forceRefresh: boolean) => Promise<CredentialValue>, close: () => void = () => {}) {
    this.#readSource = readSource;
    this.#close = close;
  }

  async token(): Promise<string | undefined> {
    return (await this.#readCredential(false)).token;
  }

  async renew(rejected: CredentialValue): Promise<boolean> {
    const isRejected = ({ token, certificate }: CredentialValue) =>
      token === rejected.token && certificate === rejected.certificate;
    const known = this.#current;
    return (known !== undefined && !isRejected(known)) || !isRejected(await this.#readCredential(true));
  }

  async claims(): Promise<UnverifiedClaims | undefined> {
    const token = await this.token();
    return token === undefined ? undefined : readUnverifiedClaims(token);
  }

  clientCertificate(): ClientCertificate | undefined {
    return this.#current?.certificate;
  }

  close(): void {
    this.#close();
  }

  #readCredential(forceRefresh: boolean): Promise<CredentialValue> {
    return this.#reads.run(forceRefresh, async () => {
      const { token: given, certificate } = await this.#readSource(forceRefresh);
      const token = given?.trim();
      if (token === undefined ? !certificate : !HEADER_VALUE.test(token)) {
        throw new Error('own credential is empty, or cannot be sent in a header');
      }
      this.#current = { token, certificate };
      return this.#current;
    });
  }
}
