import { execFile, type ExecFileOptions } from 'node:child_process';
import { ConfigurationError } from '../errors.js';
import { type Clock } from '../util/clock.js';
import { SingleFlight, type OwnDeadline, startDeadline } from '../util/timers.js';
import { type ClientCertificate, type CredentialValue } from './own-credential.js';
import { readTls } from '../http/tls-source.js';

/** `exec` of a kubeconfig's user (client.authentication.k8s.io). */
export interface ExecPluginSpec {
  /** A path, or a name to find in `PATH`. */
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly apiVersion?: string;
  /** The description of the cluster for the plugin, if the kubeconfig sets `provideClusterInfo`. */
  readonly cluster?: object | undefined;
}

export interface ExecPluginContext {
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

// Longer than any caller waits: a later caller then finds the credential ready.
const TIMEOUT_MS = 60_000;
// Each run starts a process, and often calls a cloud API. If the API server refuses the credential or the plugin fails,
// the plugin must not run once per request.
const MIN_RETRY_PERIOD_MS = 5_000;
const CLOSED = 'verifier was closed';

/**
 * Runs the plugin of a kubeconfig as kubectl does, but never with a terminal. Keeps its credential until
 * `expirationTimestamp`; without one, until the API server refuses it. If the plugin returns a credential that has
 * already expired, it is used until the next run, as in client-go. Errors never contain the output of a plugin, because
 * the output may contain the token.
 * @internal
 */
export class ExecPlugin {
  #current?: CredentialValue;
  #expiresAtMs = Infinity;
  #failure?: Error;
  #nextRunMs = -Infinity;
  // `#` fields, so that `inspect` and JSON never show environment variables: these are often secrets.
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
   * @param forceRefresh whether the API server refused the current credential
   * @throws {Error} the plugin failed, or `close` was called
   */
  async credential(forceRefresh: boolean): Promise<CredentialValue> {
    const { clock } = this.#context;
    if ((forceRefresh || !this.#usable()) && clock.monotonicMs() >= this.#nextRunMs) {
      await this.#runs.run('run', () => this.#run());
      if (forceRefresh || !this.#usable()) this.#nextRunMs = clock.monotonicMs() + MIN_RETRY_PERIOD_MS;
    }
    const given = this.#usable() ?? (this.#failure ? undefined : this.#current);
    if (given) return given;
    throw this.#failure ?? new Error(CLOSED);
  }

  /** Kills a running plugin, and never starts it again. */
  close(): void {
    this.#isClosed = true;
    this.#deadline?.abort(new Error(CLOSED));
  }

  get #name(): string {
    return `plugin ${this.#spec.command}`;
  }

  #usable(): CredentialValue | undefined {
    return this.#context.clock.wallMs() < this.#expiresAtMs ? this.#current : undefined;
  }

  async #run(): Promise<void> {
    try {
      const { token, clientCertificateData, clientKeyData, expirationTimestamp } = await this.#runPlugin();
      const certificate = await this.#certificateOf(clientCertificateData, clientKeyData);
      const expiresAtMs = expirationTimestamp === undefined ? Infinity : Date.parse(expirationTimestamp);
      if (Number.isNaN(expiresAtMs)) throw new Error('expected expirationTimestamp to be a date');
      this.#current = { token, certificate };
      this.#expiresAtMs = expiresAtMs;
      this.#failure = undefined;
    } catch (error) {
      const reason = error instanceof ConfigurationError ? error.mistakes.join() : (error as Error).message;
      this.#failure = new Error(`own credential cannot be read from ${this.#name}: ${reason}`);
    }
  }

  async #runPlugin(): Promise<Status> {
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
      const output = await runCommand(command, args ?? [], {
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

  /** Returns the same object for the same certificate, because another object causes new connections. */
  async #certificateOf(cert?: string, key?: string): Promise<ClientCertificate | undefined> {
    if (cert === undefined && key === undefined) return undefined;
    const tls = await readTls({
      ...(cert !== undefined && { cert: { place: 'clientCertificateData', text: cert } }),
      ...(key !== undefined && { key: { place: 'clientKeyData', text: key } }),
    });
    const known = this.#current?.certificate;
    return known?.cert === tls.cert && known?.key === tls.key ? known : (tls as ClientCertificate);
  }
}

/** The members of an ExecCredential's `status` that are used here. */
type Status = Partial<
  Record<'token' | 'clientCertificateData' | 'clientKeyData' | 'expirationTimestamp', string>
>;

/** @returns the standard output of the command; its standard error is ignored */
function runCommand(command: string, args: readonly string[], options: ExecFileOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { ...options, encoding: 'utf8' }, (error, stdout) => {
      if (!error) resolve(stdout);
      else if (isTimeout(options.signal)) reject(new Error(`command did not end within ${TIMEOUT_MS} ms`));
      else if (options.signal?.aborted) reject(options.signal.reason as Error);
      else
        reject(
          new Error(
            `command ended with ${error.code ?? error.signal ?? 'an error'}; run it yourself to see why`,
          ),
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
  if (entries.some(([, value]) => typeof value !== 'string'))
    throw new Error('expected only strings in status');
  const { token, clientCertificateData }: Status = Object.fromEntries(entries);
  if (token === undefined && clientCertificateData === undefined) {
    throw new Error('expected a token or a client certificate');
  }
  return Object.fromEntries(entries);
}
