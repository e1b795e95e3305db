import { type Declaration } from './declarations.js';
import { type RoutePolicy } from './route-policy.js';

/**
 * What a token may be issued for, as a decorator or an option states it.
 * @returns `undefined` for what no token is issued for: no text, or one that is empty or has white space around it, and
 *   lists that are empty or name one audience twice
 * @internal
 */
export function readAudiences(value: unknown): readonly string[] | undefined {
  const audiences: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isUsable = (one: unknown): one is string =>
    typeof one === 'string' && one !== '' && one === one.trim();
  return audiences.length > 0 && audiences.every(isUsable) && new Set(audiences).size === audiences.length
    ? [...audiences]
    : undefined;
}

/** What is wrong with a protected route for which {@link readAudiences} finds none. @internal */
export function audienceMistakeOf(policy: RoutePolicy): string {
  return policy.kind === 'protected' && policy.audience === undefined
    ? "expected an audience, as argument of @K8sAuth or as option 'audience'"
    : 'expected the audience of @K8sAuth to be a text or a list of different ones, not empty and without white space around it';
}

/** What is wrong with the decorators of one class or one method, whatever the others say. @internal */
export function findDeclarationMistakes(label: string, { demands, isPublic }: Declaration): string[] {
  const audiences = new Set(demands.map(({ audience }) => JSON.stringify(audience)));
  const rules: readonly unknown[] = demands.flatMap((demand) => demand.rules);
  return [
    ...(isPublic && demands.length > 0 ? [`${label}: expected @K8sAuth or @Public, not both`] : []),
    ...(audiences.size > 1
      ? [`${label}: expected one audience, not several @K8sAuth with different ones`]
      : []),
    ...rules.flatMap((rule, index) =>
      typeof rule === 'function' ? [] : [`${label}: expected rule ${index + 1} of @K8sAuth to be a function`],
    ),
  ];
}
