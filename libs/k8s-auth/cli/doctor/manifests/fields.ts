/** A part of a manifest. Its content is not checked: rendered YAML may hold anything. */
export type Fields = Readonly<Record<string, unknown>>;

/** The object at a path; an empty one if there is none. @internal */
export function objectAt(from: Fields, ...path: readonly string[]): Fields {
  let value: unknown = from;
  for (const name of path) value = isFields(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return isFields(value) ? value : {};
}

/** The objects in the list at a path. @internal */
export function objectsAt(from: Fields, ...path: readonly string[]): readonly Fields[] {
  return valuesAt(from, path).filter(isFields);
}

/** The texts in the list at a path. @internal */
export function textsAt(from: Fields, ...path: readonly string[]): readonly string[] {
  return valuesAt(from, path).filter((value) => typeof value === 'string');
}

/** The text at a path; `undefined` if there is none. @internal */
export function textAt(from: Fields, ...path: readonly string[]): string | undefined {
  const value = objectAt(from, ...path.slice(0, -1))[path.at(-1) ?? ''];
  return typeof value === 'string' ? value : undefined;
}

function valuesAt(from: Fields, path: readonly string[]): readonly unknown[] {
  const value = objectAt(from, ...path.slice(0, -1))[path.at(-1) ?? ''];
  return Array.isArray(value) ? value : [];
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
