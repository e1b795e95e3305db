import { HttpModule } from '@nestjs/axios';
import { type ModulesContainer } from '@nestjs/core';
import { K8sAuthTokenSource, type TokensByOrigin } from '../k8s-auth-token-source.js';

type ModuleRef = ModulesContainer extends Map<string, infer Ref> ? Ref : never;

/** @param instance of the module's class @internal */
export function moduleOf(instance: object, modules: ModulesContainer): ModuleRef | undefined {
  return [...modules.values()].find((module) => Object.is(module.instance, instance));
}

/** The modules that import a module; none for a global one, which all others do. @internal */
export function importersOf(module: ModuleRef | undefined, modules: ModulesContainer): ModuleRef[] {
  return module && !module.isGlobal ? [...modules.values()].filter(({ imports }) => imports.has(module)) : [];
}

/**
 * Whether a module imports a plain `HttpModule`, or a module that exports one. A global one does not count: Nest looks
 * into a module's own imports first.
 * @internal
 */
export function importsPlainHttpModule(module: ModuleRef): boolean {
  return [...module.imports].some((imported) => !imported.isGlobal && isOrExportsIt(imported, new Set()));
}

function isOrExportsIt(module: ModuleRef, seen: Set<ModuleRef>): boolean {
  if (module.metatype === HttpModule) return true;
  if (seen.has(module)) return false;
  seen.add(module);
  return [...module.imports].some(
    (imported) => module.exports.has(imported.metatype) && isOrExportsIt(imported, seen),
  );
}

/** The token source of a `K8sAuthModule` that a module imports itself; not that of a global one. @internal */
export function ownTokenSourceOf(module: ModuleRef): TokensByOrigin | undefined {
  const root = [...module.imports].find(
    ({ isGlobal, exports }) => !isGlobal && exports.has(K8sAuthTokenSource),
  );
  return root?.providers.get(K8sAuthTokenSource)?.instance as TokensByOrigin | undefined;
}
