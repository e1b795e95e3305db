import { expect } from '@jest/globals';
import { AxiosError, isAxiosError } from 'axios';
import { inspect } from 'node:util';

export function expectNoToken(value: unknown, token: string): void {
  const text = everythingSaidBy(value);
  for (const part of [token, ...token.split('.')]) expect(text).not.toContain(part);
  expect(text).not.toMatch(/bearer/i);
}

export async function failureOf(answer: Promise<unknown>): Promise<AxiosError> {
  const error: unknown = await answer.catch((reason: unknown) => reason);
  if (!(error instanceof AxiosError)) throw new Error(`expected an AxiosError, got ${String(error)}`);
  return error;
}

/** An object as it may end up in a log, in every way at once. */
function everythingSaidBy(value: unknown): string {
  const json = isAxiosError(value) ? [value.toJSON(), value.message, value.stack, value.cause] : undefined;
  return [
    inspect(value, {
      depth: Infinity,
      showHidden: true,
      maxStringLength: Infinity,
      maxArrayLength: Infinity,
    }),
    inspect(value),
    String(value),
    JSON.stringify(json),
  ].join('\n');
}
