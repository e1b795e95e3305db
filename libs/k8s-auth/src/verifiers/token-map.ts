// The number of characters at the end of a token that its key is computed from. They are part of the signature, so that two
// tokens practically never have the same key.
const END_LENGTH = 8;

// Tokens of Kubernetes have 1 to 2 KB, so the number of tokens is the usual limit. This is the limit for larger ones.
const MAX_CHARACTERS = 16 * 1024 * 1024;

/** An entry of a {@link TokenMap}. */
export interface TokenEntry {
  readonly token: string;
  /** Whether the token was used since the map last looked for an entry to drop. */
  wasUsed: boolean;
}

export interface TokenMapOptions<Entry> {
  readonly maxTokens: number;
  /** Called with each entry that is replaced or dropped. */
  readonly onDrop?: (entry: Entry) => void;
}

/**
 * A bounded map from tokens to entries. When it is full, it drops the oldest entry that was not used since it last looked for
 * one ("second chance"): a token in use stays, and a use only sets a flag.
 *
 * An entry is found by a number that is computed from the end of its token, and is used only if the whole token is equal. If
 * another token has the same number, the later one is found by its whole text. The entries are in a private field, so that no
 * inspection of the object shows a token (docs/adr/0015 says why tokens are kept at all).
 * @internal
 */
export class TokenMap<Entry extends TokenEntry> {
  // In the order in which they were stored, or got their second chance.
  readonly #entries = new Map<number | string, Entry>();
  /**
   * From where the next entry to drop is looked for. A new iterator would have to skip the gaps that dropped entries leave at the
   * start of a map. It is kept only while each call of {@link set} drops an entry: it holds what the map was before it grew.
   */
  #oldest: IterableIterator<[number | string, Entry]> | undefined;
  readonly #options: TokenMapOptions<Entry>;
  #characters = 0;
  /** Whether an entry was ever stored under its whole token. */
  #hasSameEnds = false;

  constructor(options: TokenMapOptions<Entry>) {
    this.#options = options;
  }

  get(token: string): Entry | undefined {
    const entry = this.peek(token);
    if (entry && !entry.wasUsed) entry.wasUsed = true;
    return entry;
  }

  /** Like {@link get}, but does not count as a use. */
  peek(token: string): Entry | undefined {
    const entry = this.#entries.get(endOf(token));
    if (entry?.token === token) return entry;
    // Also if the end leads to no entry: the other token with this end may have been dropped since.
    return this.#hasSameEnds ? this.#entries.get(token) : undefined;
  }

  set(entry: Entry): void {
    const { token } = entry;
    const end = endOf(token);
    const holder = this.#entries.get(end);
    const isOther = holder !== undefined && holder.token !== token;
    if (isOther) this.#hasSameEnds = true;
    // Both keys, or an older entry of this token would be found again.
    else this.#remove(end);
    if (this.#hasSameEnds) this.#remove(token);
    if (!this.#isFullFor(token)) this.#oldest = undefined;
    while (this.#isFullFor(token)) this.#dropOne();
    this.#entries.set(isOther ? token : end, entry);
    this.#characters += token.length;
  }

  delete(token: string): void {
    const end = endOf(token);
    if (this.#entries.get(end)?.token === token) this.#remove(end);
    if (this.#hasSameEnds) this.#remove(token);
  }

  clear(): void {
    for (const key of this.#entries.keys()) this.#remove(key);
  }

  #isFullFor(token: string): boolean {
    const { size } = this.#entries;
    return size >= this.#options.maxTokens || (size > 0 && this.#characters + token.length > MAX_CHARACTERS);
  }

  #dropOne(): void {
    this.#oldest ??= this.#entries.entries();
    for (const [key, entry] of this.#oldest) {
      if (!entry.wasUsed) return this.#remove(key);
      entry.wasUsed = false;
      // Moves it to the end.
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
  }

  #remove(key: number | string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#characters -= entry.token.length;
    this.#options.onDrop?.(entry);
  }
}

/** Hashes the end of a token (FNV-1a). A map finds a small number in less time than a text, and no text has to be made for it. */
function endOf(token: string): number {
  let hash = 0;
  for (let index = Math.max(0, token.length - END_LENGTH); index < token.length; index++) {
    hash = Math.imul(hash ^ token.charCodeAt(index), 0x01000193);
  }
  return hash;
}
