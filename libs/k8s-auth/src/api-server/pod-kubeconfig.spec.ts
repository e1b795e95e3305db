import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatPodKubeconfig, readPodKubeconfig } from './pod-kubeconfig.js';

const POD = {
  url: 'https://127.0.0.1:6443',
  caFile: '/tmp/ca.crt',
  tokenFile: '/tmp/token',
  namespace: 'shop',
};

describe('readPodKubeconfig', () => {
  let directory: string;
  let file: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'pod-kubeconfig-'));
    file = join(directory, 'config');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('reads what formatPodKubeconfig writes', async () => {
    writeFileSync(file, formatPodKubeconfig(POD));
    expect(await readPodKubeconfig(file)).toEqual(POD);
  });

  it.each([
    ['with another member', formatPodKubeconfig(POD).replace('"tokenFile"', '"as": "admin", "tokenFile"')],
    ['with other spaces', JSON.stringify(JSON.parse(formatPodKubeconfig(POD)))],
    ['without https', formatPodKubeconfig({ ...POD, url: 'http://127.0.0.1:6443' })],
    ['with a number for a path', formatPodKubeconfig({ ...POD, tokenFile: 7 as unknown as string })],
    ['that is YAML', 'apiVersion: v1\nkind: Config\n'],
    ['that is empty', ''],
    ['that is null', 'null'],
  ])('leaves a file %s to @kubernetes/client-node', async (_, text) => {
    writeFileSync(file, text);
    expect(await readPodKubeconfig(file)).toBeUndefined();
  });

  it('leaves the error about a missing file to @kubernetes/client-node', async () => {
    expect(await readPodKubeconfig(file)).toBeUndefined();
  });
});
