import { expect } from '@jest/globals';
import { AxiosError, isAxiosError } from 'axios';
import { inspect } from 'node:util';

/** Expects that a log of the value does not show the token, and that no path of properties leads to it. */
export function expectNoToken(value: unknown, token: string): void {
  expect(pathsTo(token, value)).toEqual([]);
  const text = renderForLog(value);
  for (const part of [token, ...token.split('.')]) expect(text).not.toContain(part);
  expect(text).not.toMatch(/bearer/i);
}

export async function failureOf(answer: Promise<unknown>): Promise<AxiosError> {
  const error: unknown = await answer.catch((reason: unknown) => reason);
  if (!(error instanceof AxiosError)) throw new Error(`expected an AxiosError, got ${String(error)}`);
  return error;
}

/** All texts that a log of the value may contain. */
function renderForLog(value: unknown): string {
  const json = isAxiosError(value) ? [value.toJSON(), value.message, value.stack, value.cause] : undefined;
  return [inspect(value, { depth: 10, showHidden: true }), String(value), JSON.stringify(json)].join('\n');
}

/** The paths of properties, symbols and collections that lead from a value to a text. */
export function pathsTo(text: string, root: unknown): string[] {
  const found: string[] = [];
  const seen = new Set<unknown>();
  const queue: [value: unknown, path: string][] = [[root, '']];
  for (let next = queue.shift(); next; next = queue.shift()) {
    const [value, path] = next;
    if (typeof value === 'string' && value.includes(text)) found.push(path);
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) continue;
    if (seen.has(value) || ArrayBuffer.isView(value)) continue;
    seen.add(value);
    for (const [name, child] of childrenOf(value)) queue.push([child, `${path}.${name}`]);
  }
  return found;
}

function childrenOf(value: object): [name: string, child: unknown][] {
  const properties = Reflect.ownKeys(value).map((key): [string, unknown] => {
    const descriptor = Reflect.getOwnPropertyDescriptor(value, key);
    return [String(key), descriptor && 'value' in descriptor ? descriptor.value : undefined];
  });
  const entries = value instanceof Map || value instanceof Set ? [...value.entries()].flat() : [];
  return [...properties, ...entries.map((entry): [string, unknown] => ['(entry)', entry])];
}
