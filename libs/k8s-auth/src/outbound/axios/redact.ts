import { types } from 'node:util';

// From an error to its cause, its config, its headers and one of them; from a request to those of the next hop. What
// lies deeper (sockets, parsers) does not hold headers.
const MAX_DEPTH = 5;

/**
 * Replaces the token in every text that an object holds, in place: an error stays the error that axios made.
 * @param except objects that are left alone
 * @internal
 */
export function redact(value: unknown, token: string, except: readonly unknown[] = []): void {
  visit(value, token, new Set(except), MAX_DEPTH);
}

function visit(value: unknown, token: string, seen: Set<unknown>, depth: number): void {
  if (typeof value !== 'object' || value === null || depth === 0 || seen.has(value)) return;
  // Bytes are not shown as text, and have a key for each.
  if (types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value)) return;
  seen.add(value);
  for (const key of Reflect.ownKeys(value)) {
    const isData = 'value' in (Reflect.getOwnPropertyDescriptor(value, key) ?? {});
    // A getter may do anything, except this one of V8.
    if (!isData && key !== 'stack') continue;
    const held: unknown = Reflect.get(value, key);
    if (typeof held !== 'string') visit(held, token, seen, depth - 1);
    else if (held.includes(token)) Reflect.set(value, key, held.replaceAll(token, '[token]'));
  }
}
