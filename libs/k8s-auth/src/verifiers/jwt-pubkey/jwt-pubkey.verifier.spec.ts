import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../../../testing/fake-clock.js';
import { signRaw } from '../../../testing/raw-token.fixture.js';
import { ConfigurationError, K8sAuthError } from '../../errors.js';
import { type LogEvent } from '../../util/log.js';
import { verificationKeyOf } from '../../jwt/verification-key.js';
import { type Verifier } from '../verifier.js';
import { jwtPubkeyDefinition, type JwtPubkeyOptions } from './jwt-pubkey.definition.js';

const ISSUER = 'https://issuer.example';
const first = generateKeyPairSync('rsa', { modulusLength: 2048 });
const second = generateKeyPairSync('ec', { namedCurve: 'P-256' });

let folder: string;
let keyFile: string;
let clock: FakeClock;
let warnings: LogEvent[];
let verifiers: Verifier[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'jwt-pubkey-'));
  keyFile = join(folder, 'sa.pub');
  clock = new FakeClock();
  warnings = [];
  verifiers = [];
  await writeKeys(first);
});

afterEach(async () => {
  await Promise.all(verifiers.map((verifier) => verifier.close()));
  await rm(folder, { recursive: true });
});

type KeyPair = { publicKey: KeyObject; privateKey: KeyObject };

async function writeKeys(...pairs: KeyPair[]): Promise<void> {
  const pems = pairs.map(({ publicKey }) => publicKey.export({ type: 'spki', format: 'pem' }));
  await replaceFile(pems.join(''));
}

/** Whole or not at all, as the kubelet does it. */
async function replaceFile(content: string): Promise<void> {
  await writeFile(join(folder, 'next'), content);
  await rename(join(folder, 'next'), keyFile);
}

async function create(changes: Partial<JwtPubkeyOptions> = {}): Promise<Verifier> {
  const log = { log: () => {}, error: () => {}, warn: (event: LogEvent) => void warnings.push(event) };
  const options = { kind: 'jwt-pubkey', issuer: ISSUER, publicKeyFiles: [keyFile], ...changes } as const;
  const verifier = await jwtPubkeyDefinition.create(options, { clock, log, environment: {} });
  verifiers.push(verifier);
  return verifier;
}

function token({ publicKey, privateKey }: KeyPair, changes: object = {}): string {
  const { keyId, algorithm } = verificationKeyOf(publicKey);
  const claims = {
    iss: ISSUER,
    sub: 'system:serviceaccount:shop:checkout',
    aud: 'orders',
    exp: clock.wallMs() / 1000 + 600,
    'kubernetes.io': { namespace: 'shop', serviceaccount: { name: 'checkout', uid: 'u-1' } },
    ...changes,
  };
  return signRaw(privateKey, { alg: algorithm, kid: keyId }, claims);
}

async function outcome(verifier: Verifier, text: string): Promise<string> {
  try {
    const { principal } = await verifier.verify(text, ['orders']);
    return principal.username;
  } catch (error) {
    if (error instanceof K8sAuthError) return error.code;
    throw error;
  }
}

/** Turns the event loop, not the clock, until the files have been read. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let turns = 0; !(await holds()); turns++) {
    if (turns > 10_000) throw new Error('has not come to hold');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The next timer is planned when the read has settled. */
async function readOnce(): Promise<void> {
  await clock.advance(10_000);
  await until(() => clock.pendingTimers === 1);
}

const ACCEPTED = 'system:serviceaccount:shop:checkout';
const SIGNATURE = 'ERR_K8S_AUTH_TOKEN_SIGNATURE';

describe('jwt-pubkey', () => {
  it('returns the audiences that the API server accepts', async () => {
    const verifier = await create({ issuer: [ISSUER, 'https://old.example'] });
    expect(await verifier.apiServerAudiences?.()).toEqual([ISSUER, 'https://old.example']);
    expect(verifier.readiness()).toEqual({ status: 'ready' });
    const verdict = await verifier.verify(token(first, { iss: 'https://old.example' }), ['orders']);
    expect(verdict.principal).toMatchObject({ issuer: 'https://old.example', verifiedBy: 'jwt-pubkey' });
  });

  it('warns that a list of issuers is for one cluster, because its keys verify tokens of all issuers', async () => {
    await create();
    await create({ issuer: [ISSUER, ISSUER] });
    expect(warnings).toEqual([]);
    await create({ issuer: [ISSUER, 'https://old.example'] });
    expect(warnings).toEqual([
      {
        message: expect.stringContaining('names of one cluster only') as unknown,
        issuers: [ISSUER, 'https://old.example'],
      },
    ]);
  });

  it('fails startup when key files are missing or invalid', async () => {
    await replaceFile('no key');
    const missing = join(folder, 'missing');
    const creation = create({ publicKeyFiles: [keyFile, missing] });
    await expect(creation).rejects.toBeInstanceOf(ConfigurationError);
    await expect(create({ publicKeyFiles: [keyFile, missing] })).rejects.toMatchObject({
      code: 'ERR_K8S_AUTH_CONFIGURATION_INVALID',
      mistakes: expect.arrayContaining([
        `option 'publicKeyFiles': ${keyFile}: expected a PEM block`,
        `option 'publicKeyFiles': ${missing}: expected a file that can be read`,
      ]) as unknown,
    });
  });

  it('reads changed key files in the background', async () => {
    const verifier = await create();
    verifier.start();
    await writeKeys(first, second);
    expect(await outcome(verifier, token(second))).toBe(SIGNATURE);
    await readOnce();
    expect(await outcome(verifier, token(second))).toBe(ACCEPTED);
    expect(await outcome(verifier, token(first))).toBe(ACCEPTED);

    await writeKeys(second);
    await readOnce();
    expect(await outcome(verifier, token(first))).toBe(SIGNATURE);
    expect(await outcome(verifier, token(second))).toBe(ACCEPTED);
  });

  it('reads the files for an unknown key, at most once per period for any number of requests', async () => {
    const verifier = await create();
    await writeKeys(first, second);
    await clock.advance(9_999);
    expect(await outcome(verifier, token(second))).toBe(SIGNATURE);
    await clock.advance(1);
    const many = await Promise.all(Array.from({ length: 5 }, () => outcome(verifier, token(second))));
    expect(many[0]).toBe(ACCEPTED);

    await writeKeys(first);
    await clock.advance(9_999);
    expect(await outcome(verifier, token(generate()))).toBe(SIGNATURE);
    expect(await outcome(verifier, token(second))).toBe(ACCEPTED);
  });

  it('keeps the last good keys while the files are invalid, and logs this once a minute', async () => {
    const verifier = await create();
    verifier.start();
    await replaceFile('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n');
    for (let period = 0; period < 7; period++) await readOnce();
    expect(warnings.map(({ message }) => message)).toEqual(
      Array(2).fill(
        `keys could not be fetched: public key files: ${keyFile}: block 1 (PUBLIC KEY): expected a key that can be parsed`,
      ),
    );
    expect(await outcome(verifier, token(first))).toBe(ACCEPTED);
    expect(await outcome(verifier, token(second))).toBe('ERR_K8S_AUTH_VERIFIER_UNAVAILABLE');
    expect(verifier.readiness()).toMatchObject({ status: 'degraded' });

    await writeKeys(second);
    await readOnce();
    expect(verifier.readiness()).toEqual({ status: 'ready' });
    expect(await outcome(verifier, token(second))).toBe(ACCEPTED);
  });

  it('leaves no timer behind', async () => {
    const verifier = await create();
    expect(clock.pendingTimers).toBe(0);
    verifier.start();
    verifier.start();
    expect(clock.pendingTimers).toBe(1);
    await verifier.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('has a clock tolerance of 30 s by default', async () => {
    const late = token(first, { exp: clock.wallMs() / 1000 - 29 });
    expect(await outcome(await create(), late)).toBe(ACCEPTED);
    expect(await outcome(await create({ clockToleranceMs: 0 }), late)).toBe('ERR_K8S_AUTH_TOKEN_EXPIRED');
  });

  it('accepts legacy tokens only with acceptLegacyTokens', async () => {
    const legacy = token(first, {
      iss: 'kubernetes/serviceaccount',
      aud: undefined,
      exp: undefined,
      'kubernetes.io': undefined,
      'kubernetes.io/serviceaccount/namespace': 'shop',
      'kubernetes.io/serviceaccount/service-account.name': 'checkout',
      'kubernetes.io/serviceaccount/service-account.uid': 'u-1',
    });
    expect(await outcome(await create(), legacy)).toBe('ERR_K8S_AUTH_TOKEN_ISSUER');
    expect(await outcome(await create({ acceptLegacyTokens: true }), legacy)).toBe(ACCEPTED);
    expect(await outcome(await create({ acceptLegacyTokens: true }), token(second))).toBe(SIGNATURE);
  });
});

function generate(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}
