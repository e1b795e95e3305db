import { type ContractApi } from './contract-api.fixture.js';

export interface AccountName {
  readonly namespace: string;
  readonly name: string;
}

/**
 * A cluster that the suite asks. Everything it does goes through the Kubernetes API, the same requests for every
 * target, but for what the stand-in has no API for.
 */
export interface ContractTarget {
  readonly name: string;
  readonly api: ContractApi;
  /** Lets a ServiceAccount create TokenReviews, until {@link close}. */
  grantTokenReview(account: AccountName): Promise<void>;
  /** A token of the kind that stands in a Secret (type kubernetes.io/service-account-token). */
  createLegacyToken(account: AccountName): Promise<string>;
  /** Signs whatever it is given with the cluster's own key; absent where that key is not at hand. */
  readonly sign?: (header: object, claims: object) => Promise<string>;
  /** Takes back what was granted. */
  close(): Promise<void>;
}
