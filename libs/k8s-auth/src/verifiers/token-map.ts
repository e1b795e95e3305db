import { LRUCache } from 'lru-cache';

// 43 characters of base64url are 258 bits of the signature: enough that two tokens practically never share them. A map hashes
// its keys, so the cost of a lookup grows with the length of the key: a whole token costs eight times as much.
const TAIL_LENGTH = 43;

// Tokens of Kubernetes have 1 to 2 KB, so the number of tokens is the limit. This is the limit for larger ones.
const MAX_TOKEN_CHARACTERS = 16 * 1024 * 1024;

interface Entry<Value> {
  readonly token: string;
  readonly value: Value;
}

export interface TokenMapOptions<Value> {
  readonly maxTokens: number;
  /** Called with each value that is replaced or dropped. */
  readonly onDrop?: (value: Value) => void;
}

/**
 * A bounded map from tokens to values. When it is full, the least recently used token is dropped.
 *
 * An entry is found by the end of the token, and is used only if the whole token is equal. Two tokens with the same end
 * therefore replace each other and never share a value. The tokens are kept in private fields, so that no inspection of
 * the object shows them (docs/adr/0015 says why they are kept at all).
 * @internal
 */
export class TokenMap<Value> {
  readonly #entries: LRUCache<string, Entry<Value>>;

  constructor({ maxTokens, onDrop }: TokenMapOptions<Value>) {
    this.#entries = new LRUCache({
      max: maxTokens,
      maxSize: MAX_TOKEN_CHARACTERS,
      sizeCalculation: ({ token }) => token.length + 1,
      ...(onDrop && { dispose: ({ value }: Entry<Value>) => onDrop(value) }),
    });
  }

  /** @param scope one token has a value of its own in each scope */
  get(token: string, scope = ''): Value | undefined {
    const entry = this.#entries.get(keyOf(token, scope));
    return entry?.token === token ? entry.value : undefined;
  }

  /** Like {@link get}, but does not count as a use. */
  peek(token: string, scope = ''): Value | undefined {
    const entry = this.#entries.peek(keyOf(token, scope));
    return entry?.token === token ? entry.value : undefined;
  }

  set(token: string, value: Value, scope = ''): void {
    this.#entries.set(keyOf(token, scope), { token, value });
  }

  delete(token: string, scope = ''): void {
    if (this.peek(token, scope) !== undefined) this.#entries.delete(keyOf(token, scope));
  }

  clear(): void {
    this.#entries.clear();
  }
}

/** Ambiguous only for tokens that are shorter than the tail; the comparison of the whole token tells those apart. */
function keyOf(token: string, scope: string): string {
  return token.slice(-TAIL_LENGTH) + scope;
}
