import { describe, expect, it } from '@jest/globals';
import { readPemBlocks } from './pem-blocks.js';

const one = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----';
const two = '-----BEGIN CERTIFICATE-----\r\nBBBB\r\n-----END CERTIFICATE-----';

describe('readPemBlocks', () => {
  it('reads every block and leaves out the text around them', () => {
    expect(readPemBlocks(`# new key\n${one}\nsubject=CN - x\n${two}\n`)).toEqual([
      { label: 'PUBLIC KEY', pem: one },
      { label: 'CERTIFICATE', pem: two },
    ]);
  });

  it('finds none where there is none', () => {
    expect(readPemBlocks('')).toEqual([]);
    expect(readPemBlocks('ssh-rsa AAAA')).toEqual([]);
  });

  it.each([
    ['without end', '-----BEGIN PUBLIC KEY-----\nAAAA\n'],
    ['without beginning', 'AAAA\n-----END PUBLIC KEY-----\n'],
    ['with the end of another', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END CERTIFICATE-----\n'],
    ['within a block', `-----BEGIN PUBLIC KEY-----\n${one}\n`],
    ['cut off after a whole one', `${one}\n-----BEGIN CERT`],
  ])('refuses a block %s', (_, text) => {
    expect(readPemBlocks(text)).toBeUndefined();
  });
});
