import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './cluster.fixture.js';
import { type Deployment } from './deployment.fixture.js';

/** The environment inside a container. */
export interface Surroundings {
  /** Command line of PID 1. */
  readonly command: readonly string[];
  readonly executable: string;
  readonly userId: number;
  readonly nodeEnv: string | undefined;
  /** Writable folders, of those that programs typically write to. */
  readonly writable: readonly string[];
  readonly allBytes: number;
  readonly appBytes: number;
  /** Everything below /app that no program runs: sources, declarations, maps. */
  readonly unused: readonly string[];
  /** Packages below /app, as `node_modules/…`. */
  readonly packages: readonly string[];
}

// Sizes are those of the files, as image tools state them; mounted volumes are other devices.
const SURVEY = `
const { lstatSync, readdirSync, readFileSync, readlinkSync, writeFileSync } = require('node:fs');
const { dev } = lstatSync('/');
const found = { unused: [], packages: [] };
const seen = new Set();
function bytesBelow(folder) {
  let bytes = 0;
  let names = [];
  try { names = readdirSync(folder); } catch {}
  for (const name of names) {
    const path = (folder === '/' ? '' : folder) + '/' + name;
    const stats = lstatSync(path);
    if (stats.dev !== dev || seen.has(stats.ino)) continue;
    seen.add(stats.ino);
    bytes += stats.size + (stats.isDirectory() ? bytesBelow(path) : 0);
    if (!path.startsWith('/app/')) continue;
    if (/\\.([mc]?ts|map|tsbuildinfo|tgz)$/.test(name)) found.unused.push(path);
    if (stats.isDirectory() && /node_modules\\/(@[^/]+\\/)?[^/@.][^/]*$/.test(path)) found.packages.push(path.slice(5));
  }
  return bytes;
}
function canWrite(folder) {
  try { writeFileSync(folder + '/written', ''); return true; } catch { return false; }
}
const appBytes = bytesBelow('/app');
console.log(JSON.stringify({
  command: readFileSync('/proc/1/cmdline', 'utf8').split('\\0').slice(0, -1),
  executable: readlinkSync('/proc/1/exe'),
  userId: process.getuid(),
  nodeEnv: process.env.NODE_ENV,
  writable: ['/', '/app', '/tmp', '/var/tmp', '/home/node'].filter(canWrite),
  appBytes,
  allBytes: appBytes + bytesBelow('/'),
  ...found,
}));
`;

export async function survey(deployment: Deployment, name: string): Promise<Surroundings> {
  return JSON.parse(await inContainer(deployment, name, SURVEY)) as Surroundings;
}

/** The packages that production needs, by the lock file; the optional ones read kubeconfigs, which pods do not have. */
export function productionPackages(): string[] {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<
      string,
      { dev?: boolean; optional?: boolean; devOptional?: boolean; link?: boolean; resolved?: string }
    >;
  };
  return Object.entries(packages)
    .filter(([path, { dev, optional, devOptional, link, resolved }]) => {
      // Of the workspaces, the image contains only the library.
      const isOtherWorkspace = link && resolved !== 'libs/k8s-auth';
      return path.startsWith('node_modules/') && !dev && !optional && !devOptional && !isOtherWorkspace;
    })
    .map(([path]) => path);
}

/** The result of a request that was open when PID 1 received SIGTERM. */
export interface Ending {
  /** Status line of the answer, or why there was none. */
  readonly answer?: string;
  /** From the signal to the answer. */
  readonly answeredAfterMs?: number;
  /** From the signal to the end of the container. */
  readonly endedAfterMs: number;
}

// The request is in hand once the server has asked for its body, which comes only some time after the signal. The end
// of PID 1 is the end of every process of its container, so this one tells the time until then.
const END = `
const [port, bodyAfterMs] = process.argv.slice(1).map(Number);
const socket = require('node:net').connect(port, '127.0.0.1');
let asked;
socket.write('GET /livez HTTP/1.1\\r\\nhost: x\\r\\ncontent-type: application/json\\r\\ncontent-length: 2\\r\\nexpect: 100-continue\\r\\n\\r\\n');
socket.on('data', (data) => {
  const [line] = String(data).split('\\r\\n');
  if (asked === undefined) {
    console.log(JSON.stringify({ endedAfterMs: 0 }));
    asked = performance.now();
    process.kill(1, 'SIGTERM');
    setTimeout(() => socket.write('{}'), bodyAfterMs);
    setInterval(() => console.log(JSON.stringify({ endedAfterMs: performance.now() - asked })), 20);
  } else if (line.startsWith('HTTP/')) {
    console.log(JSON.stringify({ answer: line, answeredAfterMs: performance.now() - asked }));
  }
});
socket.on('error', (error) => console.log(JSON.stringify({ answer: error.code })));
`;

/** Ends PID 1 of a container with SIGTERM while it waits for the rest of a request. */
export async function end(
  deployment: Deployment,
  name: string,
  { port, bodyAfterMs }: { readonly port: number; readonly bodyAfterMs: number },
): Promise<Ending> {
  const output = await inContainer(deployment, name, END, String(port), String(bodyAfterMs));
  const lines = output.trim().split('\n');
  return Object.assign({}, ...lines.map((line) => JSON.parse(line) as object)) as Ending;
}

/** The output up to the end of the program, or of the container. */
async function inContainer(
  deployment: Deployment,
  name: string,
  program: string,
  ...args: string[]
): Promise<string> {
  const command = ['exec', `deployment/${name}`, '--', 'node', '-e', program, ...args];
  try {
    return await deployment.kubectl(...command);
  } catch (error) {
    const { stdout } = error as { stdout?: string };
    if (!stdout) throw error;
    return stdout;
  }
}
