import { spawn, spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { eventually } from '../until.js';
import { freePort } from '../free-port.js';

/** The programs of Debian's packages nats-server and redis-server. */
const ARGUMENTS = {
  'nats-server': (port: number) => ['--addr', '127.0.0.1', '--port', String(port)],
  'redis-server': (port: number) => ['--bind', '127.0.0.1', '--port', String(port), '--save', ''],
} as const;

export type BrokerName = keyof typeof ARGUMENTS;

export function isInstalled(name: BrokerName): boolean {
  return spawnSync(name, ['--version']).error === undefined;
}

export interface Broker {
  readonly port: number;
  stop(): void;
}

/** Starts a broker on loopback, without any file. */
export async function startBroker(name: BrokerName): Promise<Broker> {
  const port = await freePort();
  const broker = spawn(name, ARGUMENTS[name](port), { stdio: 'ignore' });
  await eventually(
    () =>
      new Promise<void>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => resolve(void socket.destroy()));
        socket.once('error', reject);
      }),
  );
  return { port, stop: () => void broker.kill() };
}
