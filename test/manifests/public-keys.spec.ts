import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { readSource, ROOT } from './rendered.fixture.js';

const jwk = (key: KeyObject, kid: string) => ({ ...key.export({ format: 'jwk' }), kid, use: 'sig' });
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();

function publicKeys(input: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/public-keys.mjs')], {
    input,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('scripts/public-keys.mjs', () => {
  it('converts all keys of a cluster to PEM, in their order', () => {
    const { publicKey: rsa } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { publicKey: ec } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(publicKeys(JSON.stringify({ keys: [jwk(rsa, 'a'), jwk(ec, 'b')] }))).toEqual({
      status: 0,
      stdout: `${pem(rsa)}${pem(ec)}`,
      stderr: '',
    });
  });

  it.each([
    ['nothing', '', 'expected JSON on the standard input'],
    ['JSON that is not a key set', 'null', "expected a JSON Web Key Set with 'keys'"],
    ['a key set without keys', '{"keys":[]}', "expected a JSON Web Key Set with 'keys'"],
  ])('fails for %s, and writes no key', (_, input, message) => {
    expect(publicKeys(input)).toEqual({ status: 1, stdout: '', stderr: `public-keys: ${message}\n` });
  });

  it('is used in k8s/README.md with the ConfigMap and the file that the pod mounts', () => {
    const readme = readSource('k8s/README.md');
    const patch = readSource('k8s/components/verifier-jwt-pubkey/service2.yaml');
    expect(readme).toMatch(/public-keys\.mjs \| .*create configmap sa-keys --from-file=sa\.pub=/);
    expect(patch).toContain('configMap: { name: sa-keys }');
    expect(patch).toMatch(/K8S_AUTH_PUBLIC_KEY_FILES, value: \/etc\/sa-keys\/sa\.pub/);
  });
});
