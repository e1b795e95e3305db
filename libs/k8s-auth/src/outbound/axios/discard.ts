/** Lets go of the connection of an answer that nobody will read. @internal */
export function discard(body: unknown): void {
  const { destroy, cancel } = (body ?? {}) as { destroy?: unknown; cancel?: unknown };
  if (typeof destroy === 'function') destroy.call(body);
  else if (typeof cancel === 'function') void Promise.resolve(cancel.call(body)).catch(() => {});
}
