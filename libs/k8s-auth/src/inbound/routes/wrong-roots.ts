import { type Module } from '@nestjs/core/injector/module.js';
import { K8S_AUTH_INBOUND_ROOT } from '../inbound.constants.js';

/** @returns what is wrong with the `K8sAuthModule`s of an application @internal */
export function findWrongRoots(modules: readonly Module[]): string[] {
  const rootOf = ({ providers }: Module) => providers.get(K8S_AUTH_INBOUND_ROOT);
  const isScoped = modules.some((module) => rootOf(module)?.isDependencyTreeStatic() === false);
  // A root is also global if a global module exports the root's module.
  const globals = modules
    .filter(({ isGlobal }) => isGlobal)
    .flatMap((module) => [
      rootOf(module),
      ...[...module.imports].filter(({ metatype }) => module.exports.has(metatype)).map(rootOf),
    ]);
  return [
    ...(isScoped ? ['K8sAuthModule: expected options that do not depend on the request'] : []),
    // With two of them, it is not defined which one provides the verifier and the tokens to a module.
    ...(new Set(globals.filter(Boolean)).size > 1
      ? ['K8sAuthModule: expected at most one global forRoot or forRootAsync; others need isGlobal: false']
      : []),
  ];
}
