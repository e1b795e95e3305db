/** Workers of `node:cluster` that share a port: `node nest-cluster.process.js <variant> <ClusterFiles> <workers>`. */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { type ClusterFiles } from '../support/cluster.js';
import { announce, answerParent } from '../support/program.js';
import { listen } from './nest-app.js';
import { type NestVariant, optionsOf } from './nest.variants.js';

const [variant = 'none', files = '{}', count = '1'] = process.argv.slice(2);

if (cluster.isPrimary) await runPrimary();
else await runWorker();

async function runPrimary(): Promise<void> {
  // The workers end with the primary, because their channel to it closes.
  const workers = Array.from({ length: Number(count) }, () => cluster.fork());
  const urls = await Promise.all(workers.map((worker) => once(worker, 'message') as Promise<[string]>));
  answerParent({ cpuUsByWorker: () => Promise.all(workers.map(cpuUsOf)) });
  announce(urls[0]?.[0] ?? '');
}

async function cpuUsOf(worker: Worker): Promise<number> {
  const answer = once(worker, 'message') as Promise<[number]>;
  worker.send('cpu');
  return (await answer)[0];
}

async function runWorker(): Promise<void> {
  const url = await listen(optionsOf(variant as NestVariant, JSON.parse(files) as ClusterFiles));
  process.on('message', (message) => {
    const { user, system } = process.cpuUsage();
    if (message === 'cpu') process.send?.(user + system);
  });
  process.send?.(url);
}
