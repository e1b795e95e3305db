import { VerifierUnavailableError } from '../errors.js';
import { HEADER_VALUE } from '../util/syntax.js';
import { type TlsSettings } from '../http/tls-source.js';
import { plainErrorOf } from '../util/plain-error.js';
import { type Deadline, inWholeMs, settleUnlessAborted } from '../util/timers.js';
import { NoAnswerError } from './retry-policy.js';
import { SingleFlight } from '../util/single-flight.js';
import { type FileTokenSource } from '../token-file/file-token-source.js';
import { readUnverifiedClaims, type UnverifiedClaims } from '../jwt/jwt-claims.js';

/** What is asked of the source of a token file. */
export type TokenSource = Pick<FileTokenSource, 'current' | 'getToken' | 'renew'>;

/** PEM texts that belong together. */
export type ClientCertificate = Required<Pick<TlsSettings, 'cert' | 'key'>>;

/**
 * The process's own credential for the API server, in any form that the API server accepts: it goes to that origin
 * and nowhere else. No request is sent anonymously: where there is no credential, asking for it throws.
 */
export interface OwnCredential {
  /**
   * The bearer token, or `undefined` where the client certificate alone says who we are.
   * @throws {Error} there is none; never with token text
   */
  token(): Promise<string | undefined>;
  /**
   * Reads the credential afresh, because `rejected` was answered with 401, unless there is another one already.
   * @returns whether there is another one now
   */
  renew(rejected: GivenCredential): Promise<boolean>;
  /** What the token says of itself; `undefined` when it is not a JWT. @throws {Error} there is no credential */
  claims(): Promise<UnverifiedClaims | undefined>;
  /** The client certificate that came with the credential when it was last read; another object when it changes. */
  clientCertificate?(): ClientCertificate | undefined;
  /** Ends what reads the credential, for good: a process would not exit while a plugin runs. */
  close?(): void;
}

/**
 * The API server answers 401 to us, with the latest credential there is: that of a pod or ServiceAccount that is
 * gone, or one whose key the cluster has dropped.
 * @internal
 */
export class OwnCredentialRefusedError extends VerifierUnavailableError {}

/** There is no credential to ask the API server with, which is as good as no API server. @internal */
export class OwnCredentialUnreadableError extends NoAnswerError {
  override readonly outage = 'API server cannot be called without our own credential';
}

/**
 * The result of reading the own credential, within the deadline.
 * @throws {OwnCredentialUnreadableError}
 * @internal
 */
export async function readInTime<Value>(deadline: Deadline, reading: Promise<Value>): Promise<Value> {
  try {
    return await settleUnlessAborted(deadline.signal, reading);
  } catch (error) {
    const message = deadline.signal.aborted
      ? `own credential could not be read within ${inWholeMs(deadline.timeoutMs)}`
      : 'own credential cannot be read';
    throw new OwnCredentialUnreadableError(message, { cause: plainErrorOf(error) });
  }
}

/** Whom the API server takes us for, for messages about a missing right: as far as our own token tells. @internal */
export async function nameOfSelf(self: {
  ownClaims(): Promise<UnverifiedClaims | undefined>;
}): Promise<string> {
  const { sub } = (await self.ownClaims().catch(() => undefined)) ?? {};
  return typeof sub === 'string' && /^[\w:.@/-]{1,350}$/.test(sub)
    ? sub
    : 'the user that our own credential is for';
}

/** The token of a file that is replaced from time to time. @internal */
export class FileCredential implements OwnCredential {
  readonly #source: TokenSource;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  async token(): Promise<string> {
    return this.#source.current() ?? (await this.#source.getToken());
  }

  async renew({ token = '' }: GivenCredential): Promise<boolean> {
    return (await this.#source.renew(token)) !== undefined;
  }

  async claims(): Promise<UnverifiedClaims | undefined> {
    return readUnverifiedClaims(await this.token());
  }
}

/** What a kubeconfig or its plugin gives: a token, a client certificate, or both. */
export interface GivenCredential {
  readonly token?: string | undefined;
  /** The same object as long as it is the same certificate. */
  readonly certificate?: ClientCertificate | undefined;
}

/** A credential that somebody else keeps: a kubeconfig, or the plugin that it names. @internal */
export class AskedCredential implements OwnCredential {
  readonly #asking = new SingleFlight<boolean, GivenCredential>();
  readonly #ask: (afresh: boolean) => Promise<GivenCredential>;
  readonly #close: () => void;
  #given?: GivenCredential;

  /**
   * @param ask gives the credential; `afresh` means that the one it gave was refused
   * @param close ends what `ask` has started
   */
  constructor(ask: (afresh: boolean) => Promise<GivenCredential>, close: () => void = () => {}) {
    this.#ask = ask;
    this.#close = close;
  }

  async token(): Promise<string | undefined> {
    return (await this.#askFor(false)).token;
  }

  async renew(rejected: GivenCredential): Promise<boolean> {
    const isRejected = ({ token, certificate }: GivenCredential) =>
      token === rejected.token && certificate === rejected.certificate;
    const known = this.#given;
    return (known !== undefined && !isRejected(known)) || !isRejected(await this.#askFor(true));
  }

  async claims(): Promise<UnverifiedClaims | undefined> {
    const token = await this.token();
    return token === undefined ? undefined : readUnverifiedClaims(token);
  }

  clientCertificate(): ClientCertificate | undefined {
    return this.#given?.certificate;
  }

  close(): void {
    this.#close();
  }

  #askFor(afresh: boolean): Promise<GivenCredential> {
    return this.#asking.run(afresh, async () => {
      const { token: given, certificate } = await this.#ask(afresh);
      const token = given?.trim();
      if (token === undefined ? !certificate : !HEADER_VALUE.test(token)) {
        throw new Error('own credential is empty, or no header value');
      }
      this.#given = { token, certificate };
      return this.#given;
    });
  }
}
