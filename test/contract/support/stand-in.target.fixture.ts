import { LocalCluster } from 'nest-k8s-auth/testing';
import { ContractApi } from './contract-api.fixture.js';
import { type ContractTarget } from './contract-target.fixture.js';

export async function startStandIn(): Promise<ContractTarget> {
  const cluster = await LocalCluster.start();
  const api = await ContractApi.fromKubeconfig(await cluster.writeKubeconfig());
  return {
    name: 'LocalCluster',
    api,
    grantTokenReview: ({ namespace, name }) => {
      cluster.grant('create tokenreviews', `${namespace}/${name}`);
      return Promise.resolve();
    },
    createLegacyToken: ({ namespace, name }) =>
      cluster.createLegacyToken({ namespace, serviceAccount: name }),
    sign: (header, claims) =>
      cluster.createToken({
        namespace: 'default',
        serviceAccount: 'default',
        header: { alg: undefined, kid: undefined, ...header },
        claims: () => JSON.stringify(claims),
      }),
    close: () => {
      api.close();
      return cluster.close();
    },
  };
}
