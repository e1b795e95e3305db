/** The stand-in for an API server, in its own process. Asked by cluster.ts. */
import { createHash, generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LocalCluster } from 'nest-k8s-auth/testing';
import { type ClusterFiles, type MintOptions } from './cluster.js';
import { announce, answerParent } from './program.js';

const NAMESPACE = 'online-shop';
const ACCOUNT = 'checkout-backend';
const REVIEWER = 'orders';
// As long as cloud providers name them.
const NODE = 'ip-10-20-30-40.eu-central-1.compute.internal';
// As many callers as there are tokens in rotation.
const PODS = 200;
const [directory = ''] = process.argv.slice(2);

const cluster = await LocalCluster.start();
const kids = {
  RS256: await cluster.rotateSigningKey({ keepOld: false }),
  ES256: await cluster.publishKey('ES256'),
};
// The stand-in signs no ES384. This key is in the file of public keys only, so only jwt-pubkey accepts its tokens.
const es384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const es384Spki = es384.publicKey.export({ type: 'spki', format: 'der' });
const es384Forgery = {
  key: es384.privateKey,
  header: { alg: 'ES384', kid: createHash('sha256').update(es384Spki).digest('base64url') },
};
let minted = 0;

await cluster.createServiceAccount(NAMESPACE, ACCOUNT);
await cluster.createServiceAccount(NAMESPACE, REVIEWER);
for (let index = 0; index < PODS; index++) {
  await cluster.createPod(NAMESPACE, podOf(index), { serviceAccount: ACCOUNT, node: NODE });
}
cluster.grant('create tokenreviews', `${NAMESPACE}/${REVIEWER}`);
// The peers read the keys without a credential, as in the tutorial.
cluster.grant('read discovery', 'system:unauthenticated');

/** As long as the name that a Deployment gives to its pods. */
function podOf(index: number): string {
  return `${ACCOUNT}-5d4f8c7b9d-${String(index).padStart(5, '0')}`;
}

async function files(): Promise<ClusterFiles> {
  const publicKeysFile = join(directory, 'sa.pub');
  const ownKey = es384.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  writeFileSync(publicKeysFile, cluster.publicKeysPem() + ownKey);
  const tokenFile = join(directory, 'api-token');
  const reviewer = { namespace: NAMESPACE, serviceAccount: REVIEWER };
  writeFileSync(tokenFile, await cluster.createToken({ ...reviewer, audiences: cluster.apiAudiences }));
  return {
    url: cluster.url,
    issuer: cluster.issuer,
    caFile: cluster.caFile,
    tokenFile,
    kubeconfigFile: await cluster.writeKubeconfig({ serviceAccount: `${NAMESPACE}/${REVIEWER}` }),
    publicKeysFile,
  };
}

/** Every token differs from all others in its `jti`. */
async function mint({ count, audience, algorithm, lifetimeSeconds }: MintOptions): Promise<string[]> {
  if (algorithm !== 'ES384') cluster.signWith(kids[algorithm]);
  const tokens: string[] = [];
  for (; tokens.length < count; minted++) {
    const token = await cluster.createToken({
      namespace: NAMESPACE,
      serviceAccount: ACCOUNT,
      pod: podOf(minted % PODS),
      audiences: [audience],
      expirationSeconds: lifetimeSeconds,
      ...(algorithm === 'ES384' && es384Forgery),
    });
    tokens.push(token);
  }
  return tokens;
}

/** What the stand-in has received so far. */
function counts(): { reviews: number; jwks: number; connections: number } {
  const { requests } = cluster;
  return {
    reviews: requests.count({ endpoint: 'tokenreviews' }),
    jwks: requests.count({ endpoint: 'jwks' }),
    connections: requests.connections,
  };
}

answerParent({ files, mint, counts });
announce(cluster.url);
