import { type ContractApi } from './contract-api.fixture.js';

export interface AccountName {
  readonly namespace: string;
  readonly name: string;
}

/**
 * A cluster that the suite tests. Every target gets the same requests through the Kubernetes API, except for functions
 * that have no API in the stand-in.
 */
export interface ContractTarget {
  readonly name: string;
  readonly api: ContractApi;
  /** Lets a ServiceAccount create TokenReviews, until {@link close}. */
  grantTokenReview(account: AccountName): Promise<void>;
  /** A Secret-based token (type kubernetes.io/service-account-token). */
  createLegacyToken(account: AccountName): Promise<string>;
  /** Signs any input with the cluster's own key; absent if that key is not available. */
  readonly sign?: (header: object, claims: object) => Promise<string>;
  /** Revokes the granted rights. */
  close(): Promise<void>;
}
