import { HttpModule } from '@nestjs/axios';
import { type ModulesContainer } from '@nestjs/core';

type ModuleRef = ModulesContainer extends Map<string, infer Ref> ? Ref : never;

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
