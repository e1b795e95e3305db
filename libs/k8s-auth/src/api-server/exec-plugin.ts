import { execFile, type ExecFileOptions } from 'node:child_process';
import { ConfigurationError } from '../errors.js';
import { type Clock } from '../util/clock.js';
import { SingleFlight } from '../util/single-flight.js';
import { type OwnDeadline, startDeadline } from '../util/timers.js';
import { type ClientCertificate, type GivenCredential } from './own-credential.js';
import { readTls } from '../http/tls-source.js';

/** `exec` of a kubeconfig's user (client.authentication.k8s.io). */
export interface ExecPluginSpec {
  /** A path, or a name that is looked up in `PATH`. */
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly apiVersion?: string;
  /** What the plugin is told of the cluster, where the kubeconfig says `provideClusterInfo`. */
  readonly cluster?: object | undefined;
}

export interface ExecPluginContext {
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

// Longer than any caller waits: whoever asks later finds the credential there.
const TIMEOUT_MS = 60_000;
// Each run is a process, and often a call to a cloud. Neither an API server that refuses the credential nor a plugin
// that fails may cost one for each request.
const MIN_RETRY_PERIOD_MS = 5_000;
const CLOSED = 'verifier was closed';

/**
 * The plugin that a kubeconfig names, run as kubectl runs it, but never with a terminal. Its credential is kept until
 * `expirationTimestamp`; without one, until the API server refuses it. One that has expired already when it is given is used
 * until the next run, as in client-go. Nothing that a plugin prints gets into an
 * error, because it may be the token.
 * @internal
 */
export class ExecPlugin {
  #given?: GivenCredential;
  #expiresAtMs = Infinity;
  #failure?: Error;
  #nextRunMs = -Infinity;
  // Private to the language, because variables of the environment are often secrets.
  readonly #spec: ExecPluginSpec;
  readonly #context: ExecPluginContext;
  readonly #runs = new SingleFlight<'run', void>();
  #deadline?: OwnDeadline;
  #isClosed = false;

  constructor(spec: ExecPluginSpec, context: ExecPluginContext) {
    this.#spec = spec;
    this.#context = context;
  }

  /**
   * @param afresh the credential that it gave was refused
   * @throws {Error} the plugin fails, or this was closed
   */
  async credential(afresh: boolean): Promise<GivenCredential> {
    const { clock } = this.#context;
    if ((afresh || !this.#usable()) && clock.monotonicMs() >= this.#nextRunMs) {
      await this.#runs.run('run', () => this.#run());
      if (afresh || !this.#usable()) this.#nextRunMs = clock.monotonicMs() + MIN_RETRY_PERIOD_MS;
    }
    const given = this.#usable() ?? (this.#failure ? undefined : this.#given);
    if (given) return given;
    throw this.#failure ?? new Error(CLOSED);
  }

  /** Kills the plugin if it runs, and starts it no more. */
  close(): void {
    this.#isClosed = true;
    this.#deadline?.abort(new Error(CLOSED));
  }

  get #name(): string {
    return `plugin ${this.#spec.command}`;
  }

  #usable(): GivenCredential | undefined {
    return this.#context.clock.wallMs() < this.#expiresAtMs ? this.#given : undefined;
  }

  async #run(): Promise<void> {
    try {
      const { token, clientCertificateData, clientKeyData, expirationTimestamp } = await this.#printed();
      const certificate = await this.#certificateOf(clientCertificateData, clientKeyData);
      const expiresAtMs = expirationTimestamp === undefined ? Infinity : Date.parse(expirationTimestamp);
      if (Number.isNaN(expiresAtMs)) throw new Error('expected expirationTimestamp to be a date');
      this.#given = { token, certificate };
      this.#expiresAtMs = expiresAtMs;
      this.#failure = undefined;
    } catch (error) {
      const reason = error instanceof ConfigurationError ? error.mistakes.join() : (error as Error).message;
      this.#failure = new Error(`own credential cannot be had from ${this.#name}: ${reason}`);
    }
  }

  async #printed(): Promise<Status> {
    if (this.#isClosed) throw new Error(CLOSED);
    const { command, args, env, apiVersion, cluster } = this.#spec;
    const info = {
      apiVersion,
      kind: 'ExecCredential',
      spec: { interactive: false, ...(cluster && { cluster }) },
    };
    const deadline = startDeadline(this.#context.clock, TIMEOUT_MS);
    this.#deadline = deadline;
    try {
      const output = await print(command, args ?? [], {
        env: {
          ...this.#context.environment,
          ...Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])),
          KUBERNETES_EXEC_INFO: JSON.stringify(info),
        },
        signal: deadline.signal,
        killSignal: 'SIGKILL',
      });
      return readStatus(output);
    } finally {
      deadline.cancel();
    }
  }

  /** The same object for the same certificate, because another one means new connections. */
  async #certificateOf(cert?: string, key?: string): Promise<ClientCertificate | undefined> {
    if (cert === undefined && key === undefined) return undefined;
    const tls = await readTls({
      ...(cert !== undefined && { cert: { place: 'clientCertificateData', text: cert } }),
      ...(key !== undefined && { key: { place: 'clientKeyData', text: key } }),
    });
    const known = this.#given?.certificate;
    return known?.cert === tls.cert && known?.key === tls.key ? known : (tls as ClientCertificate);
  }
}

/** `status` of an ExecCredential, as far as it is used. */
type Status = Partial<
  Record<'token' | 'clientCertificateData' | 'clientKeyData' | 'expirationTimestamp', string>
>;

/** @returns what the command prints; its standard error is dropped */
function print(command: string, args: readonly string[], options: ExecFileOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { ...options, encoding: 'utf8' }, (error, stdout) => {
      if (!error) resolve(stdout);
      else if (isTimeout(options.signal)) reject(new Error(`it did not end within ${TIMEOUT_MS} ms`));
      else if (options.signal?.aborted) reject(options.signal.reason as Error);
      else
        reject(
          new Error(`it ended with ${error.code ?? error.signal ?? 'an error'}; run it by hand to see why`),
        );
    });
    child.stdin?.on('error', () => {}).end();
  });
}

function isTimeout(signal: AbortSignal | undefined): boolean {
  return (signal?.reason as Error | undefined)?.name === 'TimeoutError';
}

function readStatus(output: string): Status {
  let document: { readonly status?: unknown } | null;
  try {
    document = JSON.parse(output) as typeof document;
  } catch {
    throw new Error('expected an ExecCredential in JSON');
  }
  const status = document?.status;
  if (typeof status !== 'object' || status === null)
    throw new Error('expected an ExecCredential with a status');
  const entries = Object.entries(status).filter(([, value]) => value !== null && value !== '');
  if (entries.some(([, value]) => typeof value !== 'string')) throw new Error('expected a status of strings');
  const { token, clientCertificateData }: Status = Object.fromEntries(entries);
  if (token === undefined && clientCertificateData === undefined) {
    throw new Error('expected a token or a client certificate');
  }
  return Object.fromEntries(entries);
}
