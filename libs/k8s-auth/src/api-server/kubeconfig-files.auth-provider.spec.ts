import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { FakeClock } from '../../testing/fake-clock.js';
import { readKubeconfig } from './kubeconfig.js';
import { type OwnCredential } from './own-credential.js';

const PLACE = 'variable KUBECONFIG';
const LATER = '2999-01-01T00:00:00Z';
const EARLIER = '2001-01-01T00:00:00Z';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'auth-provider-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** The credential of a user whose kubeconfig was written by an older tool of a cloud, or for an OpenID provider. */
async function credentialOf(config: object, name = 'azure'): Promise<OwnCredential | undefined> {
  const file = join(directory, 'config');
  const document = {
    clusters: [{ name: 'c', cluster: { server: 'https://api.example:6443' } }],
    users: [{ name: 'u', user: { 'auth-provider': { name, config } } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  writeFileSync(file, JSON.stringify(document));
  const kubeconfig = await readKubeconfig([file], PLACE, { clock: new FakeClock(), environment: {} });
  return kubeconfig.credential(() => {
    throw new Error('expected no token file');
  });
}

/** The members for a provider whose token is printed by a command. */
function commandOf(script: string): object {
  writeFileSync(join(directory, 'print.cjs'), script);
  return {
    'cmd-path': process.execPath,
    'cmd-args': join(directory, 'print.cjs'),
    'token-key': '{.credential.token}',
    'expiry-key': '{.credential.expiry}',
  };
}

const failureOf = async (config: object, name?: string): Promise<Error> => {
  const credential = await credentialOf(config, name);
  return (await credential?.token().catch((error: unknown) => error)) as Error;
};

describe('the credential of an auth provider', () => {
  it('is its access token, until that expires', async () => {
    const kept = await credentialOf({ 'access-token': 'sha256~kept', expiry: LATER });
    await expect(kept?.token()).resolves.toBe('sha256~kept');
  });

  it('is printed by its command when the access token has expired', async () => {
    const answer = { credential: { token: 'sha256~new', expiry: LATER } };
    const command = commandOf(`console.log(${JSON.stringify(JSON.stringify(answer))})`);
    const renewed = await credentialOf({ 'access-token': 'sha256~old', expiry: EARLIER, ...command });
    await expect(renewed?.token()).resolves.toBe('sha256~new');
  });

  it('is not used after it has expired: the error says so, and names the kubeconfig', async () => {
    const { message } = await failureOf({ 'access-token': 'sha256~old', expiry: EARLIER });
    expect(message).toBe(`own credential cannot be read from ${PLACE}: Token is expired!`);
  });

  it.each([
    ['prints text that is not JSON', `console.log('sha256~secret')`],
    ['fails', `console.error('refused: sha256~secret'); process.exit(1)`],
  ])('never appears in an error if its command %s', async (_, script) => {
    const error = await failureOf(commandOf(script));
    expect(error.message).toContain(`own credential cannot be read from ${PLACE}`);
    expect(error.message).not.toContain('print.cjs');
    expect(inspect(error, { depth: 10 })).not.toContain('sha256~secret');
  });

  it('is never omitted: a provider that has none fails the read', async () => {
    const empty = commandOf(`console.log('{"credential":{"token":"","expiry":""}}')`);
    expect((await failureOf(empty)).message).toContain('own credential is empty');
    expect((await failureOf({ 'client-id': 'c' }, 'oidc')).message).toContain('own credential is empty');
  });
});
