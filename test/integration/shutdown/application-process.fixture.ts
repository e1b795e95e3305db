import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../libs/k8s-auth/test-support/free-port.js';
import { ROOT, RunningProcess } from '../../support/running-process.js';

export const APPLICATIONS = ['service1', 'service2'] as const;
export type Application = (typeof APPLICATIONS)[number];

/** Builds the applications if needed, as `npm start` does. */
export function buildOnce(): void {
  const build = "import('./scripts/demo/build.mjs').then(({ buildIfStale }) => buildIfStale())";
  execFileSync(process.execPath, ['--eval', build], { cwd: ROOT });
}

/**
 * The command that runs a process as PID 1 of its own namespace, as in a container; `undefined` if this machine does
 * not allow it.
 */
export const OWN_PID_NAMESPACE = [
  ['unshare', '--pid', '--fork', '--kill-child'],
  ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--kill-child'],
].find(([command = '', ...args]) => spawnSync(command, [...args, 'true']).status === 0);

export interface LaunchOptions {
  readonly asPid1?: boolean;
  /** Sends itself this signal as soon as it has a handler for it, long before anything else is loaded. */
  readonly signalAtOnce?: NodeJS.Signals;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts a built application as a separate process, with a complete environment and without a cluster. */
export class ApplicationProcess extends RunningProcess {
  private constructor(
    private readonly asPid1: boolean,
    directory: string,
    readonly port: number,
    options: { command: string; args: readonly string[]; environment: Readonly<Record<string, string>> },
  ) {
    super(options);
    void this.ended.then(() => rmSync(directory, { recursive: true }));
  }

  static async launch(name: Application, options: LaunchOptions = {}): Promise<ApplicationProcess> {
    const { asPid1 = false, signalAtOnce, environment } = options;
    const directory = mkdtempSync(join(tmpdir(), 'application-'));
    const port = await freePort();
    const [command = process.execPath, ...namespace] = asPid1 ? (OWN_PID_NAMESPACE ?? []) : [];
    const preload = signalAtOnce ? ['--import', selfSignal(signalAtOnce)] : [];
    const node = [...preload, join('dist/apps', name, 'main.js')];
    return new ApplicationProcess(asPid1, directory, port, {
      command,
      args: asPid1 ? [...namespace, process.execPath, ...node] : node,
      environment: {
        PATH: process.env['PATH'] ?? '',
        PORT: String(port),
        ...(name === 'service1' ? clientEnvironment() : serverEnvironment(directory)),
        ...environment,
      },
    });
  }

  /** A connection to its port, as soon as it listens. */
  async connect(): Promise<Socket> {
    for (;;) {
      const socket = connect(this.port, '127.0.0.1');
      const connected = await new Promise<boolean>((resolve) => {
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      });
      // Later errors of the connection are left to the test.
      if (connected) return socket.on('error', () => undefined);
      if (this.hasEnded) throw new Error(`ended without listening:\n${this.text}`);
    }
  }

  override signal(signal: NodeJS.Signals): Promise<number | null> {
    const { pid } = this.process;
    if (!this.asPid1 || this.hasEnded) return super.signal(signal);
    // The PID of unshare's child, as seen from outside its namespace.
    process.kill(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()), signal);
    return this.ended;
  }
}

/** A module to preload. */
function selfSignal(signal: NodeJS.Signals): string {
  const code = `process.on('newListener', (event) => {
    if (event === '${signal}') process.nextTick(() => process.kill(process.pid, '${signal}'));
  });`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

function clientEnvironment(): Record<string, string> {
  const target = 'http://127.0.0.1:1';
  return { TARGET_URL: target, INTERVAL_MS: '86400000', K8S_AUTH_DESTINATIONS: `${target}=/no/such/file` };
}

function serverEnvironment(directory: string): Record<string, string> {
  const file = join(directory, 'sa.pub');
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(file, publicKey.export({ type: 'spki', format: 'pem' }));
  return {
    K8S_AUTH_VERIFIER: 'jwt-pubkey',
    K8S_AUTH_ISSUER: 'https://issuer.example',
    K8S_AUTH_PUBLIC_KEY_FILES: file,
  };
}
