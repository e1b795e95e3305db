/** @kubernetes/client-node as its documentation shows it. Asked by figures/review-calls.ts. */
import { AuthenticationV1Api, KubeConfig } from '@kubernetes/client-node';
import { type ReviewResult } from '../figures/review-calls.js';
import { AUDIENCE } from '../support/cluster.js';
import { announce, answerParent } from '../support/program.js';

const [kubeconfigFile = ''] = process.argv.slice(2);
const config = new KubeConfig();
config.loadFromFile(kubeconfigFile);
const api = config.makeApiClient(AuthenticationV1Api);

async function review({ tokens }: { readonly tokens: readonly string[] }): Promise<ReviewResult> {
  const before = process.cpuUsage();
  const startedMs = performance.now();
  for (const token of tokens) {
    const { status } = await api.createTokenReview({ body: { spec: { token, audiences: [AUDIENCE] } } });
    if (!status?.authenticated) throw new Error('a good token was not authenticated');
  }
  const { user, system } = process.cpuUsage(before);
  return { durationMs: performance.now() - startedMs, cpuUs: user + system };
}

answerParent({ review });
announce('');
