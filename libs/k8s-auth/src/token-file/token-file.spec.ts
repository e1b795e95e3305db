import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { join, dirname } from 'node:path';
import { FakeClock } from '../../testing/fake-clock.js';
import { TokenSourceError } from '../errors.js';
import { readTokenFile } from './token-file.js';
import { TokenMint, TokenVolume } from './token-volume.fixture.js';

const mint = new TokenMint(new FakeClock());
const volume = new TokenVolume();

afterEach(() => volume.empty());
afterAll(() => volume.remove());

async function failureOf(file: string): Promise<TokenSourceError> {
  const error: unknown = await readTokenFile(file).catch((reason: unknown) => reason);
  if (!(error instanceof TokenSourceError)) throw new Error('expected a TokenSourceError');
  return error;
}

describe('readTokenFile', () => {
  it.each([
    ['as it is', (token: string) => token],
    ['with a newline', (token: string) => `${token}\n`],
    ['with CRLF and spaces around', (token: string) => ` \t${token}\r\n `],
  ])('returns the token and its claims: %s', async (_name, write) => {
    const token = await mint.mint({ sub: 'system:serviceaccount:shop:checkout' });
    volume.write(write(token));
    const content = await readTokenFile(volume.file);
    expect(content.token).toBe(token);
    expect(content.claims).toMatchObject({ sub: 'system:serviceaccount:shop:checkout', aud: ['service2'] });
  });

  it('accepts a file of exactly 64 KiB', async () => {
    const token = await mint.mint();
    volume.write(token + ' '.repeat(64 * 1024 - token.length));
    await expect(readTokenFile(volume.file)).resolves.toMatchObject({ token });
  });

  it.each([
    ['nothing', ''],
    ['white space', ' \r\n\t '],
  ])('rejects %s as empty', async (_name, content) => {
    volume.write(content);
    const error = await failureOf(volume.file);
    expect(error.code).toBe('ERR_K8S_AUTH_TOKEN_FILE_EMPTY');
    expect(error.message).toBe(`token file ${volume.file} is empty`);
  });

  it.each([
    ['words', 'not a token'],
    ['two parts', 'eyJhIjoxfQ.eyJhIjoxfQ'],
    ['four parts', 'eyJhIjoxfQ.eyJhIjoxfQ.c2ln.c2ln'],
    ['a payload that is no JSON', `eyJhIjoxfQ.${Buffer.from('nope').toString('base64url')}.c2ln`],
    ['a payload that is a list', `eyJhIjoxfQ.${Buffer.from('[1]').toString('base64url')}.c2ln`],
    ['two tokens', 'eyJhIjoxfQ.eyJhIjoxfQ.c2ln\neyJhIjoxfQ.eyJhIjoxfQ.c2ln'],
    ['bytes', Buffer.from([0, 255, 254, 1, 2, 3])],
    ['a byte order mark', Buffer.from('\ufeffeyJhIjoxfQ.eyJhIjoxfQ.c2ln')],
  ])('rejects %s as malformed, without quoting it', async (_name, content) => {
    volume.write(content);
    const error = await failureOf(volume.file);
    expect(error.code).toBe('ERR_K8S_AUTH_TOKEN_FILE_MALFORMED');
    expect(error.message).toBe(`token file ${volume.file} does not contain a JWT`);
    expect(error.cause).toBeUndefined();
  });

  it.each(['kubeconfig-user-x:secret', 'sha256~A-b_c', 'two words', 'pass\xa7word'])(
    'takes %j, which is not a JWT, where any token will do',
    async (token) => {
      volume.write(Buffer.from(` ${token}\n`, 'latin1'));
      await expect(readTokenFile(volume.file, true)).resolves.toEqual({ token });
      expect((await failureOf(volume.file)).message).toBe(`token file ${volume.file} does not contain a JWT`);
    },
  );

  it.each([
    ['two lines', 'sha256~one\nsha256~two'],
    ['a control character', 'sha256~\u0000'],
    ['a byte order mark', '\ufeffsha256~one'],
  ])('rejects %s if opaque tokens are accepted, without quoting it', async (_name, content) => {
    volume.write(content);
    await expect(readTokenFile(volume.file, true)).rejects.toMatchObject({
      code: 'ERR_K8S_AUTH_TOKEN_FILE_MALFORMED',
      message: `token file ${volume.file} does not contain a token`,
    });
  });

  it('rejects a file over 64 KiB', async () => {
    const token = await mint.mint();
    volume.write(token + ' '.repeat(64 * 1024 - token.length + 1));
    const error = await failureOf(volume.file);
    expect(error.code).toBe('ERR_K8S_AUTH_TOKEN_FILE_MALFORMED');
    expect(error.message).toBe(`token file ${volume.file} has more than 65536 bytes`);
  });

  it('rejects a missing file, with the cause', async () => {
    const error = await failureOf(volume.file);
    expect(error.code).toBe('ERR_K8S_AUTH_TOKEN_FILE_UNREADABLE');
    expect(error.tokenFile).toBe(volume.file);
    expect(error.message).toContain(volume.file);
    expect(error.cause).toMatchObject({ code: 'ENOENT' });
  });

  it('rejects a directory', async () => {
    volume.writeDirectory();
    expect((await failureOf(volume.file)).code).toBe('ERR_K8S_AUTH_TOKEN_FILE_UNREADABLE');
  });

  it('rejects a device without reading from it', async () => {
    expect((await failureOf('/dev/zero')).code).toBe('ERR_K8S_AUTH_TOKEN_FILE_UNREADABLE');
  });

  it('rejects a named pipe without waiting for its writer', async () => {
    const pipe = join(dirname(volume.file), 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect((await failureOf(pipe)).code).toBe('ERR_K8S_AUTH_TOKEN_FILE_UNREADABLE');
  });
});
