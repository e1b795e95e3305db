import { type ContractTarget } from './contract-target.fixture.js';
import { connectRealCluster } from './real-cluster.target.fixture.js';
import { startStandIn } from './stand-in.target.fixture.js';

const { CONTRACT_KUBECONFIG: kubeconfig, CONTRACT_SIGNING_KEY: signingKeyFile } = process.env;

export type OpenTarget = () => Promise<ContractTarget>;

/** Name and open function of each cluster to test: always the stand-in, and a real one if its kubeconfig is set. */
export const TARGETS: readonly (readonly [string, OpenTarget])[] = [
  ['LocalCluster', startStandIn],
  ...(kubeconfig
    ? [['the real API server', () => connectRealCluster({ kubeconfig, signingKeyFile })] as const]
    : []),
];

export const hasRealCluster = Boolean(kubeconfig);

/** The targets whose signing key is available; for a real cluster CONTRACT_SIGNING_KEY names its PEM file. */
export const SIGNING_TARGETS = TARGETS.slice(0, signingKeyFile ? 2 : 1);
