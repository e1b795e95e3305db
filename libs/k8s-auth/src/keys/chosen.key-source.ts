import { type ApiServerClient } from '../api-server/api-server.client.js';
import { type Attempt, type FetchedKeys, type KeySource } from './key-source.js';

/**
 * For an issuer that is configured and an API server that merely happens to be there: when our own API token is of
 * that issuer, the issuer is this API server. Asked anew at each attempt, because the token's file may not be there
 * yet at the first.
 * @internal
 */
export class ChosenKeySource implements KeySource {
  constructor(
    private readonly issuers: readonly string[],
    private readonly client: Pick<ApiServerClient, 'ownClaims'>,
    private readonly sources: { readonly apiServer: KeySource; readonly issuer: KeySource },
  ) {}

  async fetch(attempt: Attempt): Promise<FetchedKeys> {
    return (await this.isOwnIssuer())
      ? this.sources.apiServer.fetch(attempt)
      : this.sources.issuer.fetch(attempt);
  }

  private async isOwnIssuer(): Promise<boolean> {
    try {
      const iss = (await this.client.ownClaims())?.iss;
      return typeof iss === 'string' && this.issuers.includes(iss);
    } catch {
      // Without the token the API server could not be asked anyway.
      return false;
    }
  }
}
