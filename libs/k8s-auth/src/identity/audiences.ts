/** What {@link readAudiences} accepts, in words that follow `expected`. @internal */
export const AUDIENCE_RULE =
  'a name, or a list of one or more different names, none of them empty or with white space around it';

/** Neither empty nor with white space around it, nor of several lines. */
const NAME = /^\S(.*\S)?$/;

/**
 * The one rule for decorators, options and the environment.
 *
 * What a token may be issued for, as a decorator or an option states it.
 * @returns `undefined` for what no token is issued for: no text, or one that is empty or has white space around it, and
 *   lists that are empty or name one audience twice
 * @internal
 */
export function readAudiences(value: unknown): readonly string[] | undefined {
  const audiences: readonly unknown[] = Array.isArray(value) ? Array.from(value) : [value];
  const isUsable = (one: unknown): one is string => typeof one === 'string' && NAME.test(one);
  return audiences.length > 0 && audiences.every(isUsable) && new Set(audiences).size === audiences.length
    ? [...audiences]
    : undefined;
}

/** Equal for audiences that mean the same. @internal */
export function audienceKeyOf(audience: unknown): string {
  // What is no audience may be anything, such as a list that contains itself.
  return JSON.stringify(readAudiences(audience)?.toSorted()) ?? typeof audience;
}
