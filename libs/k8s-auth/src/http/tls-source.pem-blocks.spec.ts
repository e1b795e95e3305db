import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { formatPem, readPemBlocks } from './tls-source.js';

const one = '-----BEGIN PUBLIC KEY-----\nAAAA\nBBBB\n-----END PUBLIC KEY-----';
const two = '-----BEGIN CERTIFICATE-----\r\nCCCC\r\n-----END CERTIFICATE-----';
const BOTH = [
  ['PUBLIC KEY', 'AAAABBBB'],
  ['CERTIFICATE', 'CCCC'],
];

function read(text: string): string[][] | undefined {
  return readPemBlocks(text)?.map(({ label, der }) => [label, der.toString('base64')]);
}

describe('readPemBlocks', () => {
  it.each([
    ['with text around them', `# new key\n${one}\nsubject=CN - x\n${two}\n`],
    ['without a last newline', `${one}\n${two}`],
    ['with Windows line ends', `${one}\n${two}\n`.replace(/\r?\n/g, '\r\n')],
    ['with old Macintosh line ends', `${one}\n${two}\n`.replace(/\r?\n/g, '\r')],
    ['behind a byte order mark', `\uFEFF${one}\n${two}\n`],
    ['indented', `${one}\n${two}`.replace(/^/gm, '\t  ')],
    ['glued together', one + two],
    ['glued together and indented', `  ${one} ${two}`],
    ['on one line', `${one}\n${two}`.replace(/\s+(?!KEY)/g, ' ')],
    ['on one line without spaces', `${one}${two}`.replace(/[\r\n]+/g, '')],
    ['with empty lines within', `${one}\n\n${two}`.replace(/\r?\n/g, '\n\n')],
    ['with a block that is commented out between them', `${one}\n${one.replace(/^/gm, '# ')}\n${two}`],
    ['with a boundary in a comment', `${one}\nuntil -----BEGIN CERTIFICATE-----\n${two}`],
  ])('reads every block of a file %s', (_, text) => {
    expect(read(text)).toEqual(BOTH);
  });

  it('finds no block in text without blocks', () => {
    expect(read('')).toEqual([]);
    expect(read('ssh-rsa AAAA')).toEqual([]);
    expect(read('# -----BEGIN PUBLIC KEY-----')).toEqual([]);
  });

  it.each([
    ['without end', '-----BEGIN PUBLIC KEY-----\nAAAA\n'],
    ['without beginning', 'AAAA\n-----END PUBLIC KEY-----\n'],
    ['with the end of another', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END CERTIFICATE-----\n'],
    ['within a block', `-----BEGIN PUBLIC KEY-----\n${one}\n`],
    ['cut off after a whole one', `${one}\n-----BEGIN CERT`],
    ['cut off after a whole one, without a line of its own', `${one}-----BEGIN CERT`],
    ['with an end that is cut off', `${two}\n-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC K`],
    ['that holds nothing', '-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n'],
    ['with a comment within', '-----BEGIN PUBLIC KEY-----\n# old\nAAAA\n-----END PUBLIC KEY-----\n'],
    ['with headers', '-----BEGIN PUBLIC KEY-----\nA: b\n\nAAAA\n-----END PUBLIC KEY-----\n'],
    ['with written-out line ends', one.replace(/\n/g, '\\n')],
    ['with a label in lower case', one.toLowerCase().replace(/begin|end/g, (word) => word.toUpperCase())],
  ])('rejects a block %s', (_, text) => {
    expect(read(text)).toBeUndefined();
  });
});

it('formatPem writes blocks that parsers accept', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const [block] = readPemBlocks(pem.replace(/\n/g, '')) ?? [];
  const written = block ? formatPem(block) : '';
  expect(written).toBe(pem);
  expect(createPrivateKey(written).equals(privateKey)).toBe(true);
});
