import { types } from 'node:util';

// Deep enough for error -> cause -> config -> headers -> value, and for a request and the request of the next hop. Deeper
// objects (sockets, parsers) hold no headers.
const MAX_DEPTH = 5;

/**
 * Replaces the token in every string that an object holds. The object is changed in place, so that an error keeps its
 * identity.
 * @param except objects that are not changed
 * @internal
 */
export function redact(value: unknown, token: string, except: readonly unknown[] = []): void {
  visit(value, token, new Set(except), MAX_DEPTH);
}

function visit(value: unknown, token: string, seen: Set<unknown>, depth: number): void {
  if (typeof value !== 'object' || value === null || depth === 0 || seen.has(value)) return;
  // Bytes are not printed as text, and each byte would be a key.
  if (types.isAnyArrayBuffer(value) || ArrayBuffer.isView(value)) return;
  seen.add(value);
  for (const key of Reflect.ownKeys(value)) {
    const isData = 'value' in (Reflect.getOwnPropertyDescriptor(value, key) ?? {});
    // Getters are not called, because they may have side effects. The getter of V8 for `stack` has none.
    if (!isData && key !== 'stack') continue;
    const held: unknown = Reflect.get(value, key);
    if (typeof held !== 'string') visit(held, token, seen, depth - 1);
    else if (held.includes(token)) Reflect.set(value, key, held.replaceAll(token, '[token]'));
  }
}
