import { type OwnApiServer } from './api-server/own-api-server.js';
import {
  findTokenProblems,
  type OwnTokenProblem,
  type OwnTokenProblemCode,
  readTokenFileFacts,
  type TokenFileFacts,
} from './token-file/token-freshness.js';
import { type Clock } from './util/clock.js';
import { repeat } from './util/timers.js';

/** Why a service is degraded although it still works. @publicApi */
export type SelfCheckCode = OwnTokenProblemCode | 'CLOCK_OFFSET';

/** A problem that makes the service degraded. @publicApi */
export interface SelfCheckProblem {
  readonly code: SelfCheckCode;
  /** One sentence: what was found and what to do. It stays the same as long as the problem does. No token text. */
  readonly reason: string;
}

/** The state of one token of this service. @publicApi */
export interface OwnTokenState {
  /** The origin that the token is for, or `api-server`. */
  readonly destination: string;
  readonly tokenFile: string;
  /** Time until `exp`, milliseconds; negative after it. Omitted if the token has no `exp`. */
  readonly expiresInMs?: number;
  /** Time since the file was written, milliseconds. */
  readonly fileAgeMs: number;
  readonly problems: readonly OwnTokenProblem[];
}

/** The problems that the last check has found, with the times of now. @publicApi */
export interface SelfCheckSnapshot {
  /** The token files that could be read. */
  readonly tokens: readonly OwnTokenState[];
  /** How far our clock is ahead of the API server's, milliseconds; negative: behind. Omitted if it is unknown. */
  readonly clockOffsetMs?: number;
  /** The problems of all tokens and of the clock. Empty if there are none. */
  readonly problems: readonly SelfCheckProblem[];
}

/** A token file of this service, and what it is for. @internal */
export interface OwnTokenFile {
  readonly destination: string;
  readonly tokenFile: string;
}

const CHECK_PERIOD_MS = 60_000;
// A problem may be over as soon as the kubelet has replaced the file.
const CHECK_PERIOD_WITH_PROBLEM_MS = 10_000;
const MAX_CLOCK_OFFSET_MS = 30_000;
const API_SERVER = 'api-server';

/**
 * Checks whether the kubelet renews the tokens of this service, and whether its clock agrees with that of the API server.
 * Such a problem breaks a service hours after it appears. Injectable; {@link K8sAuthReadiness} reports the
 * problems as `degraded`. It reads each token file once a minute, and every 10 s
 * while there is a problem.
 * @publicApi
 */
export class K8sAuthSelfCheck {
  private readonly facts = new Map<string, TokenFileFacts>();
  /** The problems are those of the last check, because the kubelet may have replaced a file since then. Wall clock. */
  private checkedMs = 0;

  /** @internal */
  constructor(
    private readonly destinations: readonly OwnTokenFile[],
    private readonly apiServer: OwnApiServer,
    private readonly clock: Clock,
    /** Contains `proc/self/mountinfo`. */
    private readonly root = '/',
  ) {}

  /** The problems that the last check has found, with the times of now. Reads no file. */
  snapshot(): SelfCheckSnapshot {
    const nowMs = this.clock.wallMs();
    const tokens = this.files().flatMap(({ destination, tokenFile }): OwnTokenState[] => {
      const facts = this.facts.get(tokenFile);
      if (!facts) return [];
      const { expiresAtMs, writtenMs } = facts;
      return [
        {
          ...{ destination, tokenFile, fileAgeMs: Math.max(0, nowMs - writtenMs) },
          ...(expiresAtMs !== undefined && { expiresInMs: expiresAtMs - nowMs }),
          problems: findTokenProblems(facts, this.checkedMs),
        },
      ];
    });
    const { clockOffsetMs } = this.apiServer;
    // Destinations may share a file.
    const ofTokens = new Map(
      tokens.flatMap(({ problems }) => problems).map((problem) => [problem.reason, problem]),
    );
    return {
      tokens,
      ...(clockOffsetMs !== undefined && { clockOffsetMs }),
      problems: [...ofTokens.values(), ...clockProblems(clockOffsetMs)],
    };
  }

  /** Reads every token file. A file that cannot be read keeps what is known: the token source reports the failure. */
  async check(): Promise<void> {
    const files = new Map(this.files().map(({ destination, tokenFile }) => [tokenFile, destination]));
    await Promise.all(
      [...files].map(async ([file, destination]) => {
        const options = { mayBeOpaque: destination === API_SERVER, root: this.root };
        const facts = await readTokenFileFacts(file, options).catch(() => undefined);
        if (facts) this.facts.set(file, facts);
      }),
    );
    this.checkedMs = this.clock.wallMs();
  }

  /**
   * Checks now, and then about once a minute.
   * @param onChecked called after each check
   * @returns a function that ends this
   * @internal
   */
  watch(onChecked: () => void): () => void {
    const check = () => this.check().then(onChecked);
    const periodMs = () =>
      this.snapshot().problems.length > 0 ? CHECK_PERIOD_WITH_PROBLEM_MS : CHECK_PERIOD_MS;
    // `onChecked` may log, and a logger of the application may throw.
    check().catch(() => {});
    return repeat(this.clock, periodMs, check);
  }

  private files(): readonly OwnTokenFile[] {
    const { tokenFile } = this.apiServer;
    return [
      ...(tokenFile === undefined ? [] : [{ destination: API_SERVER, tokenFile }]),
      ...this.destinations,
    ];
  }
}

function clockProblems(offsetMs = 0): SelfCheckProblem[] {
  if (Math.abs(offsetMs) <= MAX_CLOCK_OFFSET_MS) return [];
  const direction = offsetMs > 0 ? 'ahead of' : 'behind';
  const reason = `our clock is more than 30 s ${direction} the clock of the API server: synchronize the clock of this node (NTP)`;
  return [{ code: 'CLOCK_OFFSET', reason }];
}
