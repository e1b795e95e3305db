import { isRuleFactory } from '../../authorization/rules.js';
import { AUDIENCE_RULE, audienceKeyOf } from '../../identity/names.js';
import { type Declaration } from './declarations.js';
import { findEnforcementMistakes } from './enforcement.js';
import { methodDeclarationOf, type RoutePolicy } from './route.js';
import { type RouteClass } from './controller-class.js';

/** The mistake of a protected route for which `toRoute` finds no audience. @internal */
export function audienceMistakeOf(policy: RoutePolicy): string {
  return policy.kind === 'protected' && policy.audience === undefined
    ? "expected an audience, as argument of @K8sAuth or as option 'audience' (variable K8S_AUTH_AUDIENCE)"
    : `expected the audience of @K8sAuth to be ${AUDIENCE_RULE}`;
}

/** Mistakes in the decorators of one class or one method, without regard to other classes and methods. @internal */
export function findDeclarationMistakes(label: string, { demands, isPublic }: Declaration): string[] {
  const audiences = new Set(demands.map(({ audience }) => audienceKeyOf(audience)));
  const rules: readonly unknown[] = demands.flatMap((demand) => demand.rules);
  return [
    ...(isPublic && demands.length > 0 ? [`${label}: expected @K8sAuth or @Public, not both`] : []),
    ...(audiences.size > 1
      ? [`${label}: expected one audience, not several @K8sAuth with different ones`]
      : []),
    ...rules.flatMap((rule, index) => {
      const place = `${label}: expected rule ${index + 1} of @K8sAuth`;
      if (typeof rule !== 'function') return [`${place} to be a function`];
      return isRuleFactory(rule) ? [`${place} to be ${rule.name}(...), not ${rule.name} alone`] : [];
    }),
  ];
}

/** Mistakes in all decorators of one method. @internal */
export function findMethodMistakes(
  label: string,
  policy: RoutePolicy,
  { routeClass, name }: { readonly routeClass: RouteClass; readonly name: string },
): string[] {
  return [
    ...findDeclarationMistakes(label, methodDeclarationOf(routeClass, name)),
    ...findEnforcementMistakes(label, policy, routeClass, name),
  ];
}
