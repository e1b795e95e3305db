import { type ContractTarget } from './contract-target.fixture.js';
import { connectRealCluster } from './real-cluster.target.fixture.js';
import { startStandIn } from './stand-in.target.fixture.js';

const { CONTRACT_KUBECONFIG: kubeconfig, CONTRACT_SIGNING_KEY: signingKeyFile } = process.env;

export type OpenTarget = () => Promise<ContractTarget>;

/** Name and opener of each cluster that is asked: the stand-in always, a real one when its kubeconfig is given. */
export const TARGETS: readonly (readonly [string, OpenTarget])[] = [
  ['LocalCluster', startStandIn],
  ...(kubeconfig
    ? [['the real API server', () => connectRealCluster({ kubeconfig, signingKeyFile })] as const]
    : []),
];

export const hasRealCluster = Boolean(kubeconfig);

/** Those whose signing key is at hand: a real cluster's is the PEM file that CONTRACT_SIGNING_KEY names. */
export const SIGNING_TARGETS = TARGETS.slice(0, signingKeyFile ? 2 : 1);
