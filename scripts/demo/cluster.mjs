// Starts the stand-in for a cluster: an API server, mounted tokens that rotate, and signing keys that rotate.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalCluster } from 'nest-k8s-auth/testing';
import { readKeyboard } from './keyboard.mjs';
import { rotateSigningKeys } from './signing-keys.mjs';

// A real cluster grants 600 s at least and rotates after 480 s: too long to watch.
const TOKEN_SECONDS = 40;

const log = (line) => console.log(`[cluster] ${line}`);

export async function startCluster(verifier) {
  const cluster = await LocalCluster.start({ minimumTokenLifetimeMs: TOKEN_SECONDS * 1000 });
  const [apiAudience] = cluster.apiAudiences;
  const directory = mkdtempSync(join(tmpdir(), 'nest-k8s-auth-demo-'));
  for (const name of ['default', 'service2', 'admin']) await cluster.createServiceAccount('mytest', name);
  // Verifiers that send reviews need this right.
  cluster.grant('create tokenreviews', 'mytest/service2');

  const project = (serviceAccount, path, audience, onRotate) =>
    cluster.projectVolume({
      namespace: 'mytest',
      serviceAccount,
      path,
      audience,
      expirationSeconds: TOKEN_SECONDS,
      onRotate,
    });
  const client = await project('default', 'service2', 'service2', ({ count }) =>
    log(`token of service1 rotated (${count})`),
  );
  const server = await project('service2', 'token', apiAudience);
  const admin = await project('admin', 'service2', 'service2');
  const other = await project('default', 'other', 'other-service');
  const expired = join(directory, 'expired');
  writeFileSync(expired, await mintExpired(cluster));
  const keys = rotateSigningKeys(cluster, join(directory, 'sa.pub'), {
    onPublish: (kid) => log(`key ${kid.slice(0, 8)}… published, will sign tokens in 15 s`),
    onRotate(kid) {
      client.rotate();
      log(`signing key rotated, new tokens are signed with ${kid.slice(0, 8)}…`);
    },
  });
  const keyboard = readKeyboard({ t: () => client.rotate(), k: keys.rotate });
  log(`API server at ${cluster.url}, issuer ${cluster.issuer}`);

  return {
    kubeconfig: await cluster.writeKubeconfig(),
    service1TokenFile: client.tokenFile,
    tokenFiles: { admin: admin.tokenFile, otherAudience: other.tokenFile, expired },
    service2Environment: () =>
      verifier === 'jwt-pubkey'
        ? { K8S_AUTH_ISSUER: cluster.issuer, K8S_AUTH_PUBLIC_KEY_FILES: keys.file }
        : {
            K8S_AUTH_API_SERVER_URL: cluster.url,
            K8S_AUTH_API_SERVER_CA_FILE: cluster.caFile,
            K8S_AUTH_API_SERVER_TOKEN_FILE: server.tokenFile,
          },
    async stop() {
      keys.stop();
      keyboard.close();
      await cluster.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function mintExpired(cluster) {
  const now = Math.floor(Date.now() / 1000);
  return cluster.createToken({
    namespace: 'mytest',
    serviceAccount: 'default',
    audiences: ['service2'],
    claims: { iat: now - 7200, nbf: now - 7200, exp: now - 3600 },
  });
}
