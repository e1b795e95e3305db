import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type BenchContext, type Figure, type Measurement, valueOf } from '../figure.js';
import { GO_ENVIRONMENT } from '../servers/go-peers.js';
import { peerProgram } from '../servers/go-programs.js';
import { VerifierProcess } from '../programs/verifier-process.js';
import { Child } from '../support/child.js';
import { Cluster } from '../support/cluster.js';

// client-node opens a TLS connection for each call.
const CALLS = { ours: 600, clientNode: 60 };
// V8 has compiled what is hot after so many calls.
const WARM_UP_CALLS = { ours: 6_000, clientNode: 300 };
const MAX_ROUNDS = 5;
const CLIENT_NODE = fileURLToPath(new URL('../programs/client-node.process.js', import.meta.url));

const RATIO = {
  id: 'review-calls',
  name: 'reviews per second one after the other, tokenreview / client-node 1.4',
  unit: 'ratio',
  limit: { better: 'larger', goal: 15, gate: 8 },
} as const;

export interface ReviewResult {
  readonly cpuUs: number;
  readonly durationMs: number;
}

interface PerCall {
  readonly cpuUs: number;
  readonly perSecond: number;
}

interface Sample {
  readonly ours: PerCall;
  readonly clientNode: PerCall;
}

/** Reviews one after the other, against a server in Go, as an API server is, that does nothing but answer. */
export const reviewCalls: Measurement = {
  id: 'review-calls',
  title: 'Reviews per second, compared with @kubernetes/client-node',
  isInShort: false,
  async run(context) {
    const program = await peerProgram(context, 'review-server');
    if ('unavailable' in program) return [{ ...RATIO, note: program.unavailable }];
    const files = await createCertificate(context);
    if (!files) return [{ ...RATIO, note: 'openssl is not installed' }];
    const cluster = await Cluster.start(context);
    const rounds = Math.min(context.rounds, MAX_ROUNDS);
    const warmUp = await cluster.mint(WARM_UP_CALLS.ours);
    const tokens = await cluster.mint(CALLS.ours * rounds);
    await cluster.close();
    const server = await Child.start(context, {
      name: 'review-server',
      command: program.path,
      args: [files.certificateFile, files.keyFile],
      role: 'load',
      environment: GO_ENVIRONMENT,
    });
    const kubeconfigFile = join(context.directory, 'review-server.kubeconfig');
    writeFileSync(kubeconfigFile, kubeconfigOf(server.url, files.certificateFile));
    const verifier = await VerifierProcess.start(context);
    const clientNode = await Child.start(context, {
      name: 'client-node',
      args: [CLIENT_NODE, kubeconfigFile],
      role: 'server',
    });
    try {
      await verifier.open({ kind: 'tokenreview', apiServer: { kubeconfigFile } });
      const ours = (part: readonly string[]) => verifier.accept(part);
      const others = (part: readonly string[]) =>
        clientNode.child.ask<ReviewResult>('review', { tokens: part });
      await ours(warmUp);
      await others(warmUp.slice(0, WARM_UP_CALLS.clientNode));
      const samples: Sample[] = [];
      for (let round = 0; round < rounds; round++) {
        const part = tokens.slice(round * CALLS.ours, (round + 1) * CALLS.ours);
        const sample = {
          ours: perCall(await ours(part), part.length),
          clientNode: perCall(await others(part.slice(0, CALLS.clientNode)), CALLS.clientNode),
        };
        samples.push(sample);
        context.progress(`ours ${describe(sample.ours)}, client-node ${describe(sample.clientNode)}`);
      }
      return figuresOf(samples);
    } finally {
      await Promise.all([verifier.close(), clientNode.child.close(), server.child.close()]);
    }
  },
};

function perCall({ cpuUs, durationMs }: ReviewResult, calls: number): PerCall {
  return { cpuUs: cpuUs / calls, perSecond: (calls / durationMs) * 1000 };
}

function describe({ cpuUs, perSecond }: PerCall): string {
  return `${perSecond.toFixed(0)}/s (${cpuUs.toFixed(0)} us of CPU)`;
}

function figuresOf(samples: readonly Sample[]): Figure[] {
  const each = (form: (sample: Sample) => number) => valueOf(samples.map(form));
  return [
    { ...RATIO, value: each(({ ours, clientNode }) => ours.perSecond / clientNode.perSecond) },
    {
      id: 'review-calls.cpu',
      name: 'CPU time of one review in the client, client-node 1.4 / tokenreview',
      unit: 'ratio',
      value: each(({ ours, clientNode }) => clientNode.cpuUs / ours.cpuUs),
    },
    {
      id: 'review-calls.ours',
      name: 'reviews per second one after the other, tokenreview',
      unit: 'reviews/s',
      value: each(({ ours }) => ours.perSecond),
    },
    {
      id: 'review-calls.client-node',
      name: 'reviews per second one after the other, client-node 1.4',
      unit: 'reviews/s',
      value: each(({ clientNode }) => clientNode.perSecond),
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
