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
