import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type BenchContext, type Figure, type Measurement, valueOf } from '../figure.js';
import { VerifierProcess } from '../programs/verifier-process.js';
import { Child } from '../support/child.js';
import { Cluster } from '../support/cluster.js';

// client-node opens a TLS connection for each call.
const CALLS = { ours: 400, clientNode: 60 };
const MAX_ROUNDS = 5;

const RATIO = {
  id: 'review-calls',
  name: 'reviews per second one after the other, tokenreview / client-node 1.4',
  unit: 'ratio',
  limit: { better: 'larger', goal: 15, gate: 8 },
} as const;

/** Reviews one after the other, against a server that does nothing but answer. */
export const reviewCalls: Measurement = {
  id: 'review-calls',
  title: 'Reviews per second, compared with @kubernetes/client-node',
  isInShort: false,
  async run(context) {
    const files = await createCertificate(context);
    if (!files) return [{ ...RATIO, note: 'openssl is not installed' }];
    const cluster = await Cluster.start(context);
    const rounds = Math.min(context.rounds, MAX_ROUNDS);
    const warmUp = await cluster.mint(CALLS.ours);
    const tokens = await cluster.mint(CALLS.ours * rounds);
    await cluster.close();
    const server = await start('review-server', [files.keyFile, files.certificateFile], 'load', context);
    const kubeconfigFile = join(context.directory, 'review-server.kubeconfig');
    writeFileSync(kubeconfigFile, kubeconfigOf(server.url, files.certificateFile));
    const verifier = await VerifierProcess.start(context);
    const clientNode = await start('client-node', [kubeconfigFile], 'server', context);
    try {
      await verifier.open({ kind: 'tokenreview', apiServer: { kubeconfigFile } });
      const ours = async (part: readonly string[]) =>
        part.length / ((await verifier.accept(part)).durationMs / 1000);
      const others = async (part: readonly string[]) =>
        part.length / ((await clientNode.child.ask<number>('review', { tokens: part })) / 1000);
      await ours(warmUp);
      await others(warmUp.slice(0, CALLS.clientNode));
      const samples: { ours: number; clientNode: number }[] = [];
      for (let round = 0; round < rounds; round++) {
        const part = tokens.slice(round * CALLS.ours, (round + 1) * CALLS.ours);
        const before = await others(part.slice(0, CALLS.clientNode / 2));
        const sample = await ours(part);
        const after = await others(part.slice(0, CALLS.clientNode / 2));
        samples.push({ ours: sample, clientNode: 2 / (1 / before + 1 / after) });
        context.progress(
          `ours ${sample.toFixed(0)}/s, client-node ${before.toFixed(0)} and ${after.toFixed(0)}/s`,
        );
      }
      return figuresOf(samples);
    } finally {
      await Promise.all([verifier.close(), clientNode.child.close(), server.child.close()]);
    }
  },
};

function figuresOf(samples: readonly { readonly ours: number; readonly clientNode: number }[]): Figure[] {
  return [
    { ...RATIO, value: valueOf(samples.map(({ ours, clientNode }) => ours / clientNode)) },
    {
      id: 'review-calls.ours',
      name: 'reviews per second one after the other, tokenreview',
      unit: 'reviews/s',
      value: valueOf(samples.map(({ ours }) => ours)),
    },
    {
      id: 'review-calls.client-node',
      name: 'reviews per second one after the other, client-node 1.4',
      unit: 'reviews/s',
      value: valueOf(samples.map(({ clientNode }) => clientNode)),
    },
  ];
}

/** A self-signed certificate for 127.0.0.1. */
async function createCertificate({
  directory,
  signal,
}: BenchContext): Promise<{ keyFile: string; certificateFile: string } | undefined> {
  const files = {
    keyFile: join(directory, 'review-server.key'),
    certificateFile: join(directory, 'review-server.crt'),
  };
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=127.0.0.1'];
  const names = [
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-keyout',
    files.keyFile,
    '-out',
    files.certificateFile,
  ];
  try {
    await promisify(execFile)('openssl', [...request, ...names], { signal });
    return files;
  } catch (error) {
    signal.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function kubeconfigOf(server: string, certificateFile: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'bench',
    contexts: [{ name: 'bench', context: { cluster: 'bench', user: 'bench' } }],
    clusters: [{ name: 'bench', cluster: { server, 'certificate-authority': certificateFile } }],
    users: [{ name: 'bench', user: { token: 'reviewer' } }],
  });
}

function start(name: string, args: readonly string[], role: 'server' | 'load', context: BenchContext) {
  const program = fileURLToPath(new URL(`../programs/${name}.process.js`, import.meta.url));
  return Child.start(context, { name, args: [program, ...args], role });
}
