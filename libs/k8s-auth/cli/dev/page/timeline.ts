import { type Explanation } from '../../explain/explain-token.js';
import { type TokenFacts } from './token-facts.js';

/** What a caller got. Contains no token text. */
export interface Answer {
  /** Absent if there was no answer. */
  readonly status?: number;
  /** The headers that say something about authentication, and the content type. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  /** Why there was no answer. */
  readonly error?: string;
}

/** One request to the API server while a call was handled. */
export interface ApiRequestFact {
  readonly method: string;
  readonly path: string;
  readonly status?: number;
}

/** One call to the service. Members are added as soon as they are known. Contains no token text. */
export interface CallEntry {
  readonly type: 'call';
  readonly id: number;
  readonly atMs: number;
  /** Who sends it: a service by its name, this page, or another program. */
  readonly from: string;
  readonly to: string;
  /** `GET /`, or the route that the service names in its log. */
  readonly request: string;
  /** What is sent, such as `forged token`. */
  readonly what: string;
  readonly durationMs?: number;
  readonly answer?: Answer;
  /** The line that the calling service has logged. */
  readonly callerLine?: string;
  /** Lines of the service that receives the call. */
  readonly serviceLines: readonly string[];
  readonly apiRequests: readonly ApiRequestFact[];
  readonly token?: TokenFacts;
  readonly explanation?: Explanation;
  /** Why the answer and the checks differ. */
  readonly note?: string;
  /** What to do about a refusal. */
  readonly advice?: string;
}

/** Something that happened in the cluster or to a service. */
export interface NoteEntry {
  readonly type: 'note';
  readonly id: number;
  readonly atMs: number;
  readonly from: string;
  readonly text: string;
}

export type TimelineEntry = CallEntry | NoteEntry;

const MAX_ENTRIES = 100;

/** The last calls and what happened between them, oldest first. */
export class Timeline {
  private readonly entries: TimelineEntry[] = [];
  private lastId = 0;

  constructor(private readonly onChange: (entry: TimelineEntry) => void) {}

  list(): readonly TimelineEntry[] {
    return this.entries;
  }

  add<Entry extends Omit<CallEntry, 'id'> | Omit<NoteEntry, 'id'>>(
    entry: Entry,
  ): Entry & { readonly id: number } {
    const added = { ...entry, id: ++this.lastId };
    this.entries.push(added);
    if (this.entries.length > MAX_ENTRIES) this.entries.shift();
    this.onChange(added);
    return added;
  }

  /** Adds what is known by now to a call. A call that is no longer kept is left alone. */
  update(id: number, change: (call: CallEntry) => Partial<CallEntry>): void {
    const index = this.entries.findIndex((entry) => entry.id === id);
    const entry = this.entries[index];
    if (entry?.type !== 'call') return;
    const changed = { ...entry, ...change(entry) };
    this.entries[index] = changed;
    this.onChange(changed);
  }
}
