import { type Clock } from '../../../src/util/clock.js';
import { describeError } from '../../../src/util/log.js';
import { shownText } from './redaction.js';
import { type Answer } from './timeline.js';

const TIMEOUT_MS = 10_000;
/** More than a page shows. The rest of an endless body is not read. */
const MAX_BODY_BYTES = 8 * 1024;
const SHOWN_HEADERS = ['www-authenticate', 'retry-after', 'content-type'];

/** A call that a key or a button sends. */
export interface CallToSend {
  /** What is sent, such as `forged token`. */
  readonly what: string;
  /** Omitted: no credentials. @throws {Error} there is no such token now */
  readonly token?: () => string | Promise<string>;
  /** @default the path of the service */
  readonly path?: string;
}

export interface OutgoingCall {
  readonly url: string;
  /** Omitted: without credentials. */
  readonly token?: string | undefined;
}

/** Sends one request as a caller does. @returns the answer without token text; never rejects */
export async function sendCall({ url, token }: OutgoingCall, clock: Clock): Promise<Answer> {
  const timeout = new AbortController();
  const cancel = clock.schedule(TIMEOUT_MS, () => timeout.abort());
  try {
    const response = await fetch(url, {
      // Without a kept connection, which would delay the shutdown of the service.
      headers: { connection: 'close', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      redirect: 'manual',
      signal: timeout.signal,
    });
    const body = shownText(await firstBytes(response), token);
    const headers = SHOWN_HEADERS.flatMap((name): (readonly [string, string])[] => {
      const value = response.headers.get(name);
      return value === null ? [] : [[name, shownText(value, token)]];
    });
    return { status: response.status, headers, body };
  } catch (error) {
    const reason = timeout.signal.aborted ? `no answer within ${TIMEOUT_MS / 1000} s` : describeError(error);
    return { headers: [], body: '', error: shownText(reason, token) };
  } finally {
    cancel();
  }
}

async function firstBytes({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    length += chunk.length;
    // Leaving the loop cancels the rest.
    if (length >= MAX_BODY_BYTES) break;
  }
  return Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString('utf8');
}
