import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { X509CertificateGenerator } from '@peculiar/x509';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { verificationKeyOf } from '../jwt/verification-key.js';
import { loadPublicKeys } from './public-key-files.js';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'public-keys-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function file(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

function pem(key: KeyObject, type: 'spki' | 'pkcs1' = 'spki'): string {
  return key.export({ type, format: 'pem' }).toString();
}

async function certificate(): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const made = await X509CertificateGenerator.createSelfSigned({ name: 'CN=sa', keys });
  return made.toString('pem');
}

async function mistakesIn(content: string): Promise<readonly string[]> {
  const { mistakes = [] } = await loadPublicKeys([await file('sa.pub', content)]);
  return mistakes.map((mistake) => mistake.replace(`${folder}/`, ''));
}

describe('loadPublicKeys', () => {
  it('reads every block of every file, and ignores text around the blocks', async () => {
    const first = await file('first', `# current\n${pem(rsa.publicKey)}# next\n${pem(ec.publicKey)}`);
    const second = await file('second', pem(rsa.publicKey, 'pkcs1') + (await certificate()) + '\n');
    const { keys = [], mistakes } = await loadPublicKeys([first, second]);
    expect(mistakes).toBeUndefined();
    expect(keys.map(({ algorithm }) => algorithm)).toEqual(['RS256', 'ES256', 'RS256', 'ES256']);
    const { keyId } = verificationKeyOf(rsa.publicKey);
    expect([keys[0]?.keyId, keys[2]?.keyId]).toEqual([keyId, keyId]);
  });

  it.each<[string, string, string]>([
    ['an empty file', '', 'expected a PEM block'],
    ['a file without a block', 'ssh-rsa AAAA', 'expected a PEM block'],
    [
      'a block without an END line',
      pem(rsa.publicKey).slice(0, 200),
      'expected PEM blocks: base64 text between',
    ],
    ['a private key', privatePem(rsa.privateKey), 'block 1 (PRIVATE KEY): expected PUBLIC KEY, RSA'],
    [
      'a private key behind a public one',
      pem(rsa.publicKey) + privatePem(ec.privateKey),
      'block 2 (PRIVATE KEY): expected PUBLIC KEY, RSA',
    ],
    [
      'a private key in its old form',
      rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
      'block 1 (RSA PRIVATE KEY): expected PUBLIC KEY, RSA',
    ],
    [
      'a short key',
      pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey),
      'block 1 (PUBLIC KEY): RSA modulus: expected 2048 to 8192 bits, got 1024',
    ],
    [
      'another kind of key',
      pem(rsa.publicKey) + pem(generateKeyPairSync('ed25519').publicKey),
      'block 2 (PUBLIC KEY): expected an RSA key or an EC key on P-256, P-384 or P-521',
    ],
    ['a block without a key', block('PUBLIC KEY', 'AAAA'), 'expected a key that can be parsed'],
    ['an invalid certificate', block('CERTIFICATE', 'AAAA'), 'expected a key that can be parsed'],
  ])('rejects %s', async (_, content, mistake) => {
    expect(await mistakesIn(content)).toEqual([expect.stringMatching(/^sa\.pub: /)]);
    expect(await mistakesIn(content)).toEqual([expect.stringContaining(mistake)]);
  });

  it('names every mistake of every file, in the order of the option', async () => {
    const missing = join(folder, 'missing');
    const bad = await file('bad', block('PUBLIC KEY', 'AAAA') + privatePem(ec.privateKey));
    const good = await file('good', pem(ec.publicKey));
    const ofMissing = [`${missing}: expected a file that can be read`];
    const ofBad = [
      `${bad}: block 1 (PUBLIC KEY): expected a key that can be parsed`,
      `${bad}: block 2 (PRIVATE KEY): expected PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE`,
    ];
    // A missing file is detected earlier than a bad block, so the order is checked both ways.
    expect(await loadPublicKeys([bad, good, missing])).toEqual({ mistakes: [...ofBad, ...ofMissing] });
    expect(await loadPublicKeys([missing, good, bad])).toEqual({ mistakes: [...ofMissing, ...ofBad] });
  });
});

function privatePem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function block(label: string, body: string): string {
  return `-----BEGIN ${label}-----\n${body}\n-----END ${label}-----\n`;
}
