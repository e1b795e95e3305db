import { type Clock } from '../../../src/util/clock.js';
import { readRefusal } from './service-lines.js';

/** The output of a service is read from a pipe, so its line may arrive after the answer to the caller. */
const GRACE_MS = 1_500;

export interface ExpectedLine {
  /** The call. */
  readonly id: number;
  /** The `jti` of its token. */
  readonly tokenId: string | undefined;
}

interface OpenCall extends ExpectedLine {
  /** A refused request causes one line. */
  hasLine: boolean;
  readonly onLine: (line: string) => void;
}

interface WaitingLine {
  readonly line: string;
  readonly atMs: number;
  readonly cancel: () => void;
}

/** Finds the call that a line about a refusal belongs to: by the id of the token, and otherwise by the time. */
export class OpenLines {
  private readonly calls = new Map<number, OpenCall>();
  private readonly waiting = new Set<WaitingLine>();

  constructor(
    private readonly clock: Clock,
    /** No call has claimed this line. */
    private readonly onUnclaimed: (line: { readonly line: string; readonly atMs: number }) => void,
  ) {}

  add(line: string): void {
    const { credentialId } = readRefusal(line) ?? {};
    const call = [...this.calls.values()].findLast(
      ({ tokenId, hasLine }) => !hasLine && tokenId === credentialId,
    );
    if (call) {
      call.hasLine = true;
      return call.onLine(line);
    }
    const cancel = this.clock.schedule(GRACE_MS, () => {
      this.waiting.delete(entry);
      this.onUnclaimed(entry);
    });
    const entry: WaitingLine = { line, atMs: this.clock.wallMs(), cancel };
    this.waiting.add(entry);
  }

  /** The line of this call is passed on until a while after {@link answered}. */
  expect(call: ExpectedLine, onLine: (line: string) => void): void {
    this.calls.set(call.id, { ...call, onLine, hasLine: false });
  }

  answered(id: number): void {
    this.clock.schedule(GRACE_MS, () => this.calls.delete(id));
  }

  /** Takes the lines about these tokens (`undefined`: about no token) that belong to no other call. */
  claim(tokenIds: ReadonlySet<string | undefined>): readonly string[] {
    const claimed = [...this.waiting].filter(({ line }) => tokenIds.has(readRefusal(line)?.credentialId));
    for (const entry of claimed) {
      entry.cancel();
      this.waiting.delete(entry);
    }
    return claimed.map(({ line }) => line);
  }

  close(): void {
    for (const { cancel } of this.waiting) cancel();
    this.waiting.clear();
    this.calls.clear();
  }
}
