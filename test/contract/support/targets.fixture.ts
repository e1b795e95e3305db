import { type ContractTarget } from './contract-target.fixture.js';
import { connectRealCluster } from './real-cluster.target.fixture.js';
import { startStandIn } from './stand-in.target.fixture.js';

const kubeconfig = process.env.CONTRACT_KUBECONFIG;

export type OpenTarget = () => Promise<ContractTarget>;

/** Name and opener of each cluster that is asked: the stand-in always, a real one when its kubeconfig is given. */
export const TARGETS: readonly (readonly [string, OpenTarget])[] = [
  ['LocalCluster', startStandIn],
  ...(kubeconfig ? [['the real API server', () => connectRealCluster(kubeconfig)] as const] : []),
];

export const hasRealCluster = Boolean(kubeconfig);
