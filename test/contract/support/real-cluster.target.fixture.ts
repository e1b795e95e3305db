import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { signRaw } from '../../../libs/k8s-auth/testing/raw-token.fixture.js';
import { type AccountName, type ContractTarget } from './contract-target.fixture.js';
import { ContractApi } from './contract-api.fixture.js';
import { eventually } from './eventually.fixture.js';

const RBAC = 'rbac.authorization.k8s.io';
const BINDINGS = `/apis/${RBAC}/v1/clusterrolebindings`;

interface RealCluster {
  /** Kubeconfig of a user with all rights. The cluster must have anonymous authentication enabled. */
  readonly kubeconfig: string;
  /** PEM file of the private key that signs ServiceAccount tokens. */
  readonly signingKeyFile?: string;
}

export async function connectRealCluster({
  kubeconfig,
  signingKeyFile,
}: RealCluster): Promise<ContractTarget> {
  const key = signingKeyFile ? createPrivateKey(readFileSync(signingKeyFile)) : undefined;
  const api = await ContractApi.fromKubeconfig(kubeconfig);
  const bindings: string[] = [];
  return {
    name: 'the cluster of CONTRACT_KUBECONFIG',
    api,
    grantTokenReview: async (account) => {
      const name = `${account.namespace}-${account.name}`;
      await expectCreated(api, BINDINGS, bindingOf(name, account));
      bindings.push(name);
    },
    createLegacyToken: (account) => createLegacyToken(api, account),
    ...(key && { sign: (header, claims) => Promise.resolve(signRaw(key, header, claims)) }),
    close: async () => {
      for (const name of bindings) await api.ask('DELETE', `${BINDINGS}/${name}`);
      api.close();
    },
  };
}

function bindingOf(name: string, account: AccountName): object {
  return {
    kind: 'ClusterRoleBinding',
    apiVersion: `${RBAC}/v1`,
    metadata: { name },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'system:auth-delegator' },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  };
}

/** The token controller writes the token into the Secret a moment after the Secret was created. */
async function createLegacyToken(api: ContractApi, { namespace, name }: AccountName): Promise<string> {
  const secrets = `/api/v1/namespaces/${namespace}/secrets`;
  await expectCreated(api, secrets, {
    kind: 'Secret',
    apiVersion: 'v1',
    type: 'kubernetes.io/service-account-token',
    metadata: { name: `${name}-token`, annotations: { 'kubernetes.io/service-account.name': name } },
  });
  const { body } = await eventually(
    () => api.ask('GET', `${secrets}/${name}-token`),
    ({ body }) => tokenIn(body) !== undefined,
  );
  const token = tokenIn(body);
  if (token === undefined) throw new Error(`secret "${name}-token" got no token`);
  return Buffer.from(token, 'base64').toString();
}

function tokenIn({ data }: Record<string, unknown>): string | undefined {
  return (data as { token?: string } | undefined)?.token;
}

async function expectCreated(api: ContractApi, path: string, body: object): Promise<void> {
  const answer = await api.ask('POST', path, { body });
  if (answer.status !== 201) throw new Error(`POST ${path}: ${answer.status} ${answer.text}`);
}
