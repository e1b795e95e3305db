import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type OwnCluster } from '../../api-server/own-cluster.fixture.js';
import { describeTokenVerifierContract } from '../../../testing/token-verifier.contract.js';
import { jwtPubkeyDefinition } from './jwt-pubkey.definition.js';

/** The file follows the cluster's keys, as whoever mounts it has to see to. */
async function writePublicKeys({ cluster, tokenFile }: OwnCluster): Promise<string> {
  const file = join(dirname(tokenFile), 'sa.pub');
  await writeFile(file, cluster.publicKeysPem());
  return file;
}

describeTokenVerifierContract(
  'jwt-pubkey',
  async (own) => {
    const { cluster, clock, log } = own;
    const publicKeyFiles = [await writePublicKeys(own)];
    const options = { kind: 'jwt-pubkey', issuer: cluster.issuer, publicKeyFiles } as const;
    const verifier = await jwtPubkeyDefinition.create(options, { clock, log, environment: {} });
    const rotate = cluster.rotateSigningKey.bind(cluster);
    cluster.rotateSigningKey = async (how) => {
      const kid = await rotate(how);
      await writePublicKeys(own);
      return kid;
    };
    return verifier;
  },
  { upstreams: [] },
);
