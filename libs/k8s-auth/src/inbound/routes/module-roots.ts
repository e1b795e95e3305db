import { Inject } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { type Module } from '@nestjs/core/injector/module.js';
import { K8S_AUTH_INBOUND_ROOT } from '../inbound.constants.js';
import { type InboundRoot } from './route.js';

/** Created inside a module, to find the root that Nest injects there: its own import first, else the global root. */
class RootProbe {
  constructor(@Inject(K8S_AUTH_INBOUND_ROOT) readonly root: InboundRoot) {}
}

/** @returns `undefined` if the module cannot access a `K8sAuthModule` @internal */
export async function rootOf(module: Module): Promise<InboundRoot | undefined> {
  const moduleRef = module.providers.get(ModuleRef)?.instance as ModuleRef | undefined;
  try {
    return (await moduleRef?.create(RootProbe))?.root;
  } catch {
    return undefined;
  }
}

/** @returns what is wrong with the `K8sAuthModule`s of an application @internal */
export function findWrongRoots(modules: readonly Module[]): string[] {
  const providerOf = ({ providers }: Module) => providers.get(K8S_AUTH_INBOUND_ROOT);
  const isScoped = modules.some((module) => providerOf(module)?.isDependencyTreeStatic() === false);
  // A root is also global if a global module exports the root's module.
  const globals = modules
    .filter(({ isGlobal }) => isGlobal)
    .flatMap((module) => [
      providerOf(module),
      ...[...module.imports].filter(({ metatype }) => module.exports.has(metatype)).map(providerOf),
    ]);
  return [
    ...(isScoped ? ['K8sAuthModule: expected options that do not depend on the request'] : []),
    // With two of them, it is not defined which one provides the verifier and the tokens to a module.
    ...(new Set(globals.filter(Boolean)).size > 1
      ? ['K8sAuthModule: expected at most one global forRoot or forRootAsync; others need isGlobal: false']
      : []),
  ];
}
