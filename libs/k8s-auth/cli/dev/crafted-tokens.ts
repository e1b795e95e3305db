import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { type ServiceAccountName } from '../../src/identity/names.js';
import { type LocalCluster } from '../../testing/local-cluster/local-cluster.js';

const FOREIGN_ISSUER = 'https://other-cluster.example';
const OTHER_AUDIENCE = 'another-service';
const HOUR_SECONDS = 3600;
const generate = promisify(generateKeyPair);

/** Whose tokens these are, and for which service. */
export interface TokenSubject {
  readonly account: ServiceAccountName;
  readonly audience: string;
}

/** Tokens that a service must refuse, and one that it accepts only as long as an old key is published. */
export class CraftedTokens {
  private strangerKey: Promise<KeyObject> | undefined;

  constructor(private readonly cluster: LocalCluster) {}

  /** A genuine token whose time is over. */
  expired(subject: TokenSubject): Promise<string> {
    const now = Math.floor(this.cluster.clock.wallMs() / 1000);
    const [iat, exp] = [now - 2 * HOUR_SECONDS, now - HOUR_SECONDS];
    return this.create(subject, { claims: { iat, nbf: iat, exp } });
  }

  /** Names a key of the cluster, but is signed with another one. */
  async forged(subject: TokenSubject): Promise<string> {
    return this.create(subject, { key: await this.keyOfStranger() });
  }

  /** A valid token of another cluster. */
  async foreign(subject: TokenSubject): Promise<string> {
    const claims = { iss: FOREIGN_ISSUER };
    return this.create(subject, {
      claims,
      key: await this.keyOfStranger(),
      header: { kid: 'key-of-other-cluster' },
    });
  }

  /** A valid token for another service. */
  forAnotherService({ account }: TokenSubject): Promise<string> {
    return this.create({ account, audience: OTHER_AUDIENCE }, {});
  }

  /** A valid token that is signed with the present key, and lives longer than the key may be published. */
  longLived(subject: TokenSubject): Promise<string> {
    return this.create(subject, { expirationSeconds: 24 * HOUR_SECONDS });
  }

  private create(
    { account, audience }: TokenSubject,
    rest: Omit<Parameters<LocalCluster['createToken']>[0], 'namespace' | 'serviceAccount'>,
  ): Promise<string> {
    const { namespace, name: serviceAccount } = account;
    return this.cluster.createToken({ namespace, serviceAccount, audiences: [audience], ...rest });
  }

  private keyOfStranger(): Promise<KeyObject> {
    this.strangerKey ??= generate('rsa', { modulusLength: 2048 }).then(({ privateKey }) => privateKey);
    return this.strangerKey;
  }
}
