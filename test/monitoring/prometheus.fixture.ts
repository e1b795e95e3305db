import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../libs/k8s-auth/test-support/free-port.js';
import { ROOT, RunningProcess } from '../support/running-process.js';

/** `prometheus` and `promtool` are on the PATH, or in this directory (Debian's package is called prometheus). */
const { PROMETHEUS_BIN } = process.env;
const commandOf = (name: string) => (PROMETHEUS_BIN === undefined ? name : join(PROMETHEUS_BIN, name));
const isInstalled = ['prometheus', 'promtool'].every(
  (name) => spawnSync(commandOf(name), ['--version']).status === 0,
);

/** Added to the name of a suite, so that a report says why it did not run. */
export const NEEDS_PROMETHEUS = isInstalled
  ? ''
  : ' (skipped: prometheus and promtool are not installed, and PROMETHEUS_BIN names no directory with them)';
export const hasPrometheus = isInstalled;

/** @returns the output and the exit status */
export function promtool(...args: string[]): { readonly status: number | null; readonly text: string } {
  const { status, stdout, stderr } = spawnSync(commandOf('promtool'), args, { cwd: ROOT, encoding: 'utf8' });
  return { status, text: stdout + stderr };
}

interface QueryResult {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** A real Prometheus that scrapes applications once a second. */
export class Prometheus {
  private constructor(
    private readonly process: RunningProcess,
    private readonly url: string,
    private readonly directory: string,
  ) {}

  /** @param targets job -> `host:port` of its application */
  static async start(targets: Readonly<Record<string, string>>): Promise<Prometheus> {
    const directory = mkdtempSync(join(tmpdir(), 'prometheus-'));
    mkdirSync(join(directory, 'data'));
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [join(ROOT, 'k8s/components/monitoring/alerts.yaml')],
      scrape_configs: Object.entries(targets).map(([job, target]) => ({
        job_name: job,
        static_configs: [{ targets: [target] }],
      })),
    };
    // JSON is YAML.
    writeFileSync(join(directory, 'prometheus.yml'), JSON.stringify(config));
    const address = `127.0.0.1:${await freePort()}`;
    const running = new RunningProcess({
      command: commandOf('prometheus'),
      args: [
        `--config.file=${directory}/prometheus.yml`,
        `--storage.tsdb.path=${directory}/data`,
        `--web.listen-address=${address}`,
      ],
    });
    await running.waitFor(/Server is ready to receive web requests/);
    return new Prometheus(running, `http://${address}`, directory);
  }

  /** The labels and numbers of an instant query. @throws {Error} Prometheus rejects the expression */
  async query(expression: string): Promise<{ labels: QueryResult['metric']; value: number }[]> {
    const response = await fetch(`${this.url}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const answer = (await response.json()) as { error?: string; data?: { result: QueryResult[] } };
    if (!answer.data) throw new Error(`${expression}: ${answer.error}`);
    return answer.data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
  }

  /** The names of the alerts that are pending or fire. */
  async alerts(): Promise<string[]> {
    const response = await fetch(`${this.url}/api/v1/alerts`);
    const { data } = (await response.json()) as { data: { alerts: { labels: { alertname: string } }[] } };
    return data.alerts.map(({ labels }) => labels.alertname);
  }

  async stop(): Promise<void> {
    await this.process.signal('SIGTERM');
    rmSync(this.directory, { recursive: true });
  }
}
