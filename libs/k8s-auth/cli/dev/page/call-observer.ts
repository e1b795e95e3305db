import { type Clock } from '../../../src/util/clock.js';
import { type LoggedRequest } from '../../../testing/local-cluster/request-log.js';
import { type Explanation } from '../../explain/explain-token.js';
import { adviceFor } from './advice.js';
import { noteAbout } from './check-call.js';
import { shownText } from './redaction.js';
import { OpenLines } from './open-lines.js';
import { type OutgoingCall, sendCall } from './send-call.js';
import { readRefusal } from './service-lines.js';
import { type Answer, type CallEntry, Timeline, type TimelineEntry } from './timeline.js';
import { tokenFacts, tokenId } from './token-facts.js';

/** A service logs its call after the answer. The call has started at most this long before. */
const LOGGED_CALL_MS = 2_000;
const MAX_REQUESTS = 200;
const MAX_TOKENS = 8;

export interface CallObserverOptions {
  readonly clock: Clock;
  /** The user name of the observed service at the API server. */
  readonly serviceUser: string;
  readonly serviceName: string;
  /** The token in the file of the first caller. */
  readonly callerToken: () => string;
  readonly check: (token: string) => Promise<Explanation | undefined>;
  readonly onChange: (entry: TimelineEntry) => void;
}

/** A call that another program than this one has made, as that program has logged it. */
export interface LoggedCall {
  readonly from: string;
  readonly request: string;
  readonly line: string;
  readonly answer: Answer;
}

/** Puts together what is known about each call: the answer, the lines of the services, the requests to the API server. */
export class CallObserver {
  readonly timeline: Timeline;
  private readonly lines: OpenLines;
  private readonly requests: LoggedRequest[] = [];
  /** The latest tokens of the caller by `jti`: a service may still use the one before the present one. */
  private readonly tokens = new Map<string, string>();
  private lastLoggedMs = 0;

  constructor(private readonly options: CallObserverOptions) {
    this.timeline = new Timeline(options.onChange);
    this.lines = new OpenLines(options.clock, (line) => this.addUnclaimed(line));
  }

  note(from: string, text: string): void {
    this.timeline.add({ type: 'note', atMs: this.options.clock.wallMs(), from, text: shownText(text) });
  }

  addRequest(request: LoggedRequest): void {
    if (request.user !== this.options.serviceUser) return;
    this.requests.push(request);
    if (this.requests.length > MAX_REQUESTS) this.requests.shift();
  }

  /** A line of the observed service. */
  addServiceLine(line: string): void {
    if (readRefusal(line)) this.lines.add(shownText(line));
  }

  /** Sends a call from here. @returns its answer */
  async send(from: string, what: string, call: OutgoingCall): Promise<Answer> {
    const { clock, serviceName } = this.options;
    const { pathname } = new URL(call.url);
    const [startMs, atMs] = [clock.monotonicMs(), clock.wallMs()];
    const facts = call.token === undefined ? undefined : tokenFacts(call.token);
    const { id } = this.timeline.add({
      ...{ type: 'call', atMs, from, to: serviceName, request: `GET ${pathname}`, what },
      ...{ serviceLines: [], apiRequests: [], ...(facts && { token: facts }) },
    } satisfies Omit<CallEntry, 'id'>);
    this.lines.expect({ id, tokenId: tokenId(call.token) }, (line) => this.addLine(id, line));
    const answer = await sendCall(call, clock);
    this.lines.answered(id);
    const durationMs = Math.round(clock.monotonicMs() - startMs);
    this.timeline.update(id, () => ({ answer, durationMs, apiRequests: this.requestsSince(atMs) }));
    void this.check(id, call.token);
    return answer;
  }

  /** A call of the first caller, which it has logged. */
  async addLogged({ from, request, line, answer }: LoggedCall): Promise<void> {
    const { clock, serviceName } = this.options;
    const atMs = clock.wallMs();
    const sinceMs = Math.max(this.lastLoggedMs + 1, atMs - LOGGED_CALL_MS);
    this.lastLoggedMs = atMs;
    this.rememberToken();
    const claimed = this.lines.claim(new Set([...this.tokens.keys()]));
    const named = claimed.map((one) => readRefusal(one)?.credentialId).findLast((one) => one !== undefined);
    const token =
      (named === undefined ? undefined : this.tokens.get(named)) ?? [...this.tokens.values()].at(-1);
    const facts = token === undefined ? undefined : tokenFacts(token);
    const { id } = this.timeline.add({
      ...{ type: 'call', atMs, from, to: serviceName, request, what: 'its own call', answer },
      ...{
        callerLine: shownText(line, token),
        serviceLines: claimed,
        apiRequests: this.requestsSince(sinceMs),
      },
      ...(facts && { token: facts }),
      ...withAdvice(claimed),
    } satisfies Omit<CallEntry, 'id'>);
    if ((answer.status ?? 400) >= 400 && claimed.length === 0)
      this.lines.expect({ id, tokenId: tokenId(token) }, (later) => this.addLine(id, later));
    this.lines.answered(id);
    await this.check(id, token);
  }

  close(): void {
    this.lines.close();
  }

  private async check(id: number, token: string | undefined): Promise<void> {
    const explanation = token === undefined ? undefined : await this.options.check(token);
    if (!explanation) return;
    this.timeline.update(id, ({ answer, advice, serviceLines }) => {
      const code = 'code' in explanation.outcome ? explanation.outcome.code : undefined;
      const more = advice ?? ((answer?.status ?? 0) >= 400 ? adviceFor(code) : undefined);
      return {
        explanation,
        ...withNote(answer, explanation, serviceLines),
        ...(more !== undefined && { advice: more }),
      };
    });
  }

  private addLine(id: number, line: string): void {
    this.timeline.update(id, ({ answer, explanation, serviceLines }) => ({
      serviceLines: [...serviceLines, line],
      ...withAdvice([line]),
      ...withNote(answer, explanation, [line]),
    }));
  }

  /** A refusal that belongs to no call that is known here: another program has called. */
  private addUnclaimed({ line, atMs }: { readonly line: string; readonly atMs: number }): void {
    const { status, subject, route = 'a request', code } = readRefusal(line) ?? {};
    this.timeline.add({
      ...{ type: 'call', atMs, from: shortName(subject) ?? 'another program', to: this.options.serviceName },
      ...{
        request: route,
        what: code ?? '',
        serviceLines: [line],
        apiRequests: this.requestsSince(atMs - LOGGED_CALL_MS),
      },
      answer: { headers: [], body: '', ...(status !== undefined && { status }) },
      ...withAdvice([line]),
    } satisfies Omit<CallEntry, 'id'>);
  }

  private requestsSince(sinceMs: number): CallEntry['apiRequests'] {
    return this.requests
      .filter(({ at }) => at >= sinceMs)
      .map(({ method, path, status }) => ({ method, path, ...(status !== undefined && { status }) }));
  }

  private rememberToken(): void {
    const token = readOrUndefined(this.options.callerToken);
    const id = tokenId(token);
    if (token === undefined || id === undefined) return;
    this.tokens.delete(id);
    this.tokens.set(id, token);
    const [oldest] = this.tokens.keys();
    if (this.tokens.size > MAX_TOKENS && oldest !== undefined) this.tokens.delete(oldest);
  }
}

/** `shop/checkout` of `system:serviceaccount:shop:checkout`. */
function shortName(subject: string | undefined): string | undefined {
  return subject?.replace(/^system:serviceaccount:([^:]+):/, '$1/');
}

function withAdvice(lines: readonly string[]): { readonly advice?: string } {
  const codes = lines.flatMap((line) => readRefusal(line)?.code ?? []);
  const advice = adviceFor(codes.at(-1));
  return advice === undefined ? {} : { advice };
}

function withNote(
  answer: Answer | undefined,
  explanation: Explanation | undefined,
  lines: readonly string[],
): { readonly note?: string } {
  const code = lines.flatMap((line) => readRefusal(line)?.code ?? []).at(-1);
  const note = explanation && noteAbout({ status: answer?.status, code }, explanation);
  return note === undefined ? {} : { note };
}

function readOrUndefined(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
