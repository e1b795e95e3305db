import { type JsonObject, member } from '../../src/jwt/compact-jws.js';
import { numericDateMs } from '../../src/jwt/jwt-claims.js';
import { loggable } from '../../src/util/log.js';

const MAX_LENGTH = 300;

/** A claim as text that is safe to print: one line, without anything that looks like a token. @internal */
export function claimText(claims: JsonObject, name: string): string {
  const value = member(claims, name);
  if (value === undefined) return 'none';
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const entries = list.map((entry) => (typeof entry === 'string' ? entry : JSON.stringify(entry)));
  return loggable(entries.join(', '), MAX_LENGTH) || 'an empty text';
}

/** `exp 2026-…, iat 2026-…`: the times that the token states. @internal */
export function timesText(claims: JsonObject): string {
  const times = ['exp', 'nbf', 'iat']
    .filter((name) => Object.hasOwn(claims, name))
    .map((name) => `${name} ${instantText(claims[name])}`);
  return times.join(', ') || 'no times';
}

/** `shop/checkout, pod checkout-1, node node-a`: whom the token names. @internal */
export function holderText(claims: JsonObject): string {
  const bound = objectOf(member(claims, 'kubernetes.io'));
  const named = ['pod', 'node', 'secret'].flatMap((kind) => {
    const name = member(objectOf(member(bound, kind)), 'name');
    return typeof name === 'string' ? [`${kind} ${name}`] : [];
  });
  return loggable([claimText(claims, 'sub'), ...named].join(', '), MAX_LENGTH);
}

function instantText(value: unknown): string {
  const date = new Date(numericDateMs(value) ?? NaN);
  return Number.isNaN(date.valueOf()) ? loggable(JSON.stringify(value), 40) : date.toISOString();
}

function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null ? (value as JsonObject) : {};
}
