import { AUDIENCE_RULE, audienceKeyOf } from '../../identity/audiences.js';
import { type Declaration } from './declarations.js';
import { type RoutePolicy } from './route-policy.js';

/** What is wrong with a protected route for which {@link readAudiences} finds none. @internal */
export function audienceMistakeOf(policy: RoutePolicy): string {
  return policy.kind === 'protected' && policy.audience === undefined
    ? "expected an audience, as argument of @K8sAuth or as option 'audience'"
    : `expected the audience of @K8sAuth to be ${AUDIENCE_RULE}`;
}

/** What is wrong with the decorators of one class or one method, whatever the others say. @internal */
export function findDeclarationMistakes(label: string, { demands, isPublic }: Declaration): string[] {
  const audiences = new Set(demands.map(({ audience }) => audienceKeyOf(audience)));
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

/** What is wrong with a protected handler on which Nest does not run the guard. @internal */
export function guardMistakeOf(label: string): string {
  return (
    `${label}: expected K8sAuthGuard among the guards that Nest runs: what stands there does not carry it (an ` +
    'override, a mixin, a constructor or another decorator put it there); repeat @K8sAuth'
  );
}
