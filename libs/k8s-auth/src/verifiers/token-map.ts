import { LRUCache } from 'lru-cache';

// 43 characters of base64url are 258 bits of the signature: enough that two tokens practically never share them. A map hashes
// its keys, so the cost of a lookup grows with the length of the key: a whole token costs five times as much.
const TAIL_LENGTH = 43;

// Tokens of Kubernetes have 1 to 2 KB, so the number of tokens is the usual limit. This is the limit for larger ones.
const MAX_CHARACTERS = 16 * 1024 * 1024;

export interface TokenMapOptions<Entry> {
  readonly maxTokens: number;
  /** Called with each entry that is replaced or dropped. */
  readonly onDrop?: (entry: Entry) => void;
}

/**
 * A bounded map from tokens to entries. When it is full, the least recently used entry is dropped.
 *
 * An entry is found by the end of its token, and is used only if the whole token is equal. If another token has the same end,
 * which signatures practically exclude, the later one is found by its whole text. The entries are in a private field, so that no inspection of
 * the object shows a token (docs/adr/0015 says why tokens are kept at all).
 * @internal
 */
export class TokenMap<Entry extends { readonly token: string }> {
  readonly #entries: LRUCache<string, Entry>;
  /** Whether an entry was ever stored under its whole token. */
  #hasSameEnds = false;

  constructor({ maxTokens, onDrop }: TokenMapOptions<Entry>) {
    this.#entries = new LRUCache({
      max: maxTokens,
      maxSize: MAX_CHARACTERS,
      sizeCalculation: ({ token }) => token.length + 1,
      ...(onDrop && { dispose: onDrop }),
    });
  }

  get(token: string): Entry | undefined {
    const entry = this.#entries.get(tailOf(token));
    return !entry || entry.token === token ? entry : ofToken(token, this.#entries.get(token));
  }

  /** Like {@link get}, but does not count as a use. */
  peek(token: string): Entry | undefined {
    const entry = this.#entries.peek(tailOf(token));
    return !entry || entry.token === token ? entry : ofToken(token, this.#entries.peek(token));
  }

  set(entry: Entry): void {
    const tail = tailOf(entry.token);
    const holder = this.#entries.peek(tail);
    if (!holder || holder.token === entry.token) {
      // Or an older entry of this token would be found again.
      if (this.#hasSameEnds) this.#entries.delete(entry.token);
      this.#entries.set(tail, entry);
    } else {
      this.#hasSameEnds = true;
      this.#entries.set(entry.token, entry);
    }
  }

  delete(token: string): void {
    const tail = tailOf(token);
    if (this.#entries.peek(tail)?.token === token) this.#entries.delete(tail);
    if (this.#hasSameEnds) this.#entries.delete(token);
  }

  clear(): void {
    this.#entries.clear();
  }
}

/** A short token may be the end of another one, whose entry it must not get. */
function ofToken<Entry extends { readonly token: string }>(
  token: string,
  entry: Entry | undefined,
): Entry | undefined {
  return entry?.token === token ? entry : undefined;
}

function tailOf(token: string): string {
  return token.slice(-TAIL_LENGTH);
}
