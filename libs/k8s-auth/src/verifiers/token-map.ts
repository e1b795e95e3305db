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
 * An entry is found by the end of its token, and is used only if the whole token is equal. Two tokens with the same end
 * therefore replace each other and never share an entry. The entries are in a private field, so that no inspection of
 * the object shows a token (docs/adr/0015 says why tokens are kept at all).
 * @internal
 */
export class TokenMap<Entry extends { readonly token: string }> {
  readonly #entries: LRUCache<string, Entry>;

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
    return entry?.token === token ? entry : undefined;
  }

  /** Like {@link get}, but does not count as a use. */
  peek(token: string): Entry | undefined {
    const entry = this.#entries.peek(tailOf(token));
    return entry?.token === token ? entry : undefined;
  }

  set(entry: Entry): void {
    this.#entries.set(tailOf(entry.token), entry);
  }

  delete(token: string): void {
    if (this.peek(token)) this.#entries.delete(tailOf(token));
  }

  clear(): void {
    this.#entries.clear();
  }
}

function tailOf(token: string): string {
  return token.slice(-TAIL_LENGTH);
}
