import { JwksReader } from './jwks.js';
import { type Attempt, type IssuerKeys, type KeySource, type ReadDocument } from './key-source.js';

/** Keys from the place that option `jwksUri` names, for every issuer: metadata are not asked for. @internal */
export class JwksUriKeySource implements KeySource {
  private readonly jwks = new JwksReader();

  /** @param issuers may throw while they are not known */
  constructor(
    private readonly jwksUri: string,
    private readonly issuers: () => Promise<readonly string[]>,
    private readonly read: ReadDocument,
  ) {}

  async fetch(attempt: Attempt): Promise<IssuerKeys> {
    const issuers = await this.issuers();
    return { issuers, keys: await this.jwks.read(await this.read(this.jwksUri, attempt)) };
  }
}
