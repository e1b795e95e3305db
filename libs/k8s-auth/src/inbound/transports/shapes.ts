import { type NodeRequest, nodeRequestOf } from '../request/bearer-token.js';
import { type CallerConnection } from '../../verifiers/verifier.js';

/** @internal */
export type Shape = Readonly<Record<string, unknown>>;

/** The value as an object whose properties are unknown; `undefined` if it is not an object. @internal */
export function shapeOf(value: unknown): Shape | undefined {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
    ? (value as Shape)
    : undefined;
}

/** @internal */
export function hasMethods(value: unknown, ...names: readonly string[]): boolean {
  const shape = shapeOf(value);
  return shape !== undefined && names.every((name) => typeof shape[name] === 'function');
}

/** The text of an own property. Never reads a polluted prototype. @internal */
export function ownText(value: unknown, name: string): string | undefined {
  const shape = shapeOf(value);
  if (!shape || !Object.hasOwn(shape, name)) return undefined;
  const text = shape[name];
  return typeof text === 'string' ? text : undefined;
}

/** The values of the `Authorization` header of a request of Node, each line of its own. @internal */
export function authorizationsOf(node: NodeRequest | undefined): string[] {
  const { rawHeaders = [], headers } = node ?? {};
  const values = rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization',
  );
  const value = ownText(headers, 'authorization');
  // A middleware, or a driver of GraphQL, may have changed only `headers`.
  return value === undefined || values.includes(value) ? values : [...values, value];
}

/** The connection of a request of Node. @internal */
export function connectionOfNode(request: unknown): CallerConnection {
  const node = nodeRequestOf(request);
  return {
    address: node?.socket?.remoteAddress ?? '',
    isClosed: () => node?.aborted === true || node?.socket?.destroyed === true,
  };
}

/** For messages that arrive through a broker: the caller's own connection is unknown. @internal */
export const NO_CONNECTION: CallerConnection = { address: '', isClosed: () => false };
