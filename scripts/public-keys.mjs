// Prints a cluster's public keys for ServiceAccount tokens as PEM, the format that the verifier jwt-pubkey reads.
//   kubectl get --raw /openid/v1/jwks | node scripts/public-keys.mjs > sa.pub
import { createPublicKey } from 'node:crypto';
import { text } from 'node:stream/consumers';

try {
  process.stdout.write(toPem(await text(process.stdin)));
} catch (error) {
  process.stderr.write(`public-keys: ${error.message}\n`);
  process.exitCode = 1;
}

function toPem(jwks) {
  const { keys } = parse(jwks);
  // With an empty file, a pod would start without any key.
  if (!Array.isArray(keys) || keys.length === 0) throw new Error("expected a JSON Web Key Set with 'keys'");
  return keys
    .map((key) => createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }))
    .join('');
}

function parse(jwks) {
  try {
    return JSON.parse(jwks) ?? {};
  } catch {
    throw new Error('expected JSON on the standard input');
  }
}
