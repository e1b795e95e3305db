import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const TOKEN_FILE = '/var/run/secrets/tokens/billing';

/** Prints what it reads at the paths of a pod, in each form that Node offers. */
const READS = `
  console.log(readFileSync('${TOKEN_FILE}', 'utf8'));
  console.log(String(readFileSync(new URL('file://${TOKEN_FILE}'))));
  readFile('${TOKEN_FILE}', 'utf8', (error, text) => console.log(text));
  promises.readFile('${TOKEN_FILE}', 'utf8').then(console.log);
  promises.open('${TOKEN_FILE}').then(async (handle) => {
    console.log((await handle.stat()).isFile() && (await handle.readFile('utf8')));
    await handle.close();
  });
  promises.stat('${TOKEN_FILE}').then(({ size }) => console.log('size', size));
  promises.realpath('${TOKEN_FILE}').then((path) => console.log(readFileSync(path, 'utf8')));
  realpath.native('${TOKEN_FILE}', (error, path) => console.log(readFileSync(path, 'utf8')));
  console.log(readFileSync(realpathSync.native('${TOKEN_FILE}'), 'utf8'));
  new ReadStream('${TOKEN_FILE}').on('data', (text) => console.log(String(text)));
  openAsBlob('${TOKEN_FILE}').then((blob) => blob.text()).then(console.log);
  console.log('URL', existsSync(new URL('file:///a%2Fb')));
  promises.stat(new URL('file:///a%2Fb')).catch(({ code }) => console.log('URL', code));
  promises.access('/var/run/secrets/tokens/other').catch(({ code }) => console.log(code));
`;
const NAMES = 'existsSync, openAsBlob, ReadStream, readFile, readFileSync, realpath, realpathSync';
const COMMON_JS = `const { ${NAMES} } = require('fs'); const promises = require('fs/promises');`;
const ES_MODULE = `import { ${NAMES} } from 'node:fs'; import * as promises from 'node:fs/promises';`;
const CALLS = `
  import { promises as dns } from 'node:dns';
  import { get } from 'node:http';
  import { connect, Socket } from 'node:net';
  const url = 'http://billing.shop.svc/bills';
  console.log(await (await fetch(url)).text());
  await new Promise((resolve) => get(url, { agent: false }, (response) => {
    response.on('data', (text) => console.log(String(text))).on('end', resolve);
  }));
  const [{ address }] = await dns.lookup('billing.shop.svc', { all: true });
  console.log(await (await fetch('http://' + address)).text() === address + '/');
  const connections = [() => connect(80, 'billing.shop.svc'), () => new Socket().connect(80, 'BILLING.shop.svc.')];
  for (const open of connections) {
    const socket = open();
    await new Promise((resolve) => socket.on('connect', resolve));
    console.log('connected');
    socket.destroy();
  }
`;

describe('pod-process.cjs', () => {
  let directory: string;
  let server: Server;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'pod process-'));
    server = createServer(({ headers, url }, response) => response.end(`${headers.host}${url}`));
    await new Promise<void>((resolve) => server.listen(0, resolve));
    const { port } = server.address() as AddressInfo;
    writeFileSync(join(directory, 'token'), 'mounted');
    copyFileSync(join(import.meta.dirname, 'pod-process.cjs'), join(directory, 'pod-process.cjs'));
    const files = { [TOKEN_FILE]: join(directory, 'token') };
    writeFileSync(
      join(directory, 'pod.json'),
      JSON.stringify({ files, services: { 'billing.shop.svc': port } }),
    );
  });
  afterEach(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });

  async function run(name: string, code: string): Promise<string[]> {
    writeFileSync(join(directory, name), code);
    const env = { ...process.env, NODE_OPTIONS: `--require "${join(directory, 'pod-process.cjs')}"` };
    const { stdout } = await promisify(execFile)(process.execPath, [join(directory, name)], { env });
    return stdout.trim().split('\n');
  }

  it.each([
    ['CommonJS', 'reads.cjs', COMMON_JS + READS],
    ['an ES module', 'reads.mjs', ES_MODULE + READS],
  ])('serves the files of the pod to %s, and no other file', async (_, name, code) => {
    const lines = await run(name, code);
    expect(lines.sort()).toEqual([
      ...['ENOENT', 'URL ERR_INVALID_FILE_URL_PATH', 'URL false'],
      ...[...Array<string>(10).fill('mounted'), 'size 7'],
    ]);
  });

  it('connects the names of a cluster to ports of this machine, and keeps the name in the request', async () => {
    const answer = 'billing.shop.svc/bills';
    expect(await run('calls.mjs', CALLS)).toEqual([answer, answer, 'true', 'connected', 'connected']);
  });

  it('leaves the files of the machine alone', async () => {
    const code = `import { readFileSync } from 'node:fs'; console.log(readFileSync(process.argv[1], 'utf8').length);`;
    expect(await run('own.mjs', code)).toEqual([String(code.length)]);
  });
});
