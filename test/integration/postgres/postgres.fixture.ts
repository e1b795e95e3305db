import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Client } from 'pg';
import { freePort } from '../../../libs/k8s-auth/test-support/free-port.js';

const DEBIAN = '/usr/lib/postgresql';

/** The folder with the programs of PostgreSQL, or `undefined` if it is not installed. */
export function findPostgres(): string | undefined {
  const versions = existsSync(DEBIAN)
    ? readdirSync(DEBIAN).map((version) => join(DEBIAN, version, 'bin'))
    : [];
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...versions.reverse()];
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))));
}

/** The server refuses to run as root, so root starts it as another user. */
function owner(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (option: string) => Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

/** A PostgreSQL server on loopback, whose role `app` needs a password. */
export class PostgresServer {
  private constructor(
    readonly port: number,
    private readonly folder: string,
    private readonly server: ChildProcess,
  ) {}

  static async start(programs: string): Promise<PostgresServer> {
    const folder = mkdtempSync(join(tmpdir(), 'postgres-'));
    const user = owner();
    if (user) chownSync(folder, user.uid, user.gid);
    const options = { ...user, cwd: folder, env: { LC_ALL: 'C' }, stdio: 'ignore' as const };
    const data = join(folder, 'data');
    const access = ['--auth-local=trust', '--auth-host=scram-sha-256', '--username=admin', '--no-sync'];
    execFileSync(join(programs, 'initdb'), ['-D', data, ...access], options);
    const port = await freePort();
    const settings = [
      `port=${port}`,
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${folder}`,
      'fsync=off',
    ];
    const server = spawn(
      join(programs, 'postgres'),
      ['-D', data, ...settings.flatMap((set) => ['-c', set])],
      options,
    );
    const started = new PostgresServer(port, folder, server);
    await started.run('CREATE ROLE app LOGIN');
    return started;
  }

  /** The only password that the role `app` can log in with from now on. */
  async accept(password: string): Promise<void> {
    await this.run(`ALTER ROLE app PASSWORD '${password}'`);
  }

  /** Ends all connections of the role `app`. */
  async disconnect(): Promise<void> {
    await this.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'`);
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.server.once('exit', resolve));
    this.server.kill('SIGINT');
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs a statement as administrator. Repeats it until the server accepts connections. */
  private async run(statement: string): Promise<void> {
    for (;;) {
      const client = new Client({ host: this.folder, port: this.port, user: 'admin', database: 'postgres' });
      try {
        await client.connect();
        await client.query(statement);
        return;
      } catch (error) {
        const { code } = error as { code?: string };
        if (this.server.exitCode !== null || !['ENOENT', 'ECONNREFUSED', '57P03'].includes(code ?? ''))
          throw error;
        await new Promise((resolve) => setImmediate(resolve));
      } finally {
        await client.end().catch(() => {});
      }
    }
  }
}
