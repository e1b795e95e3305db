import { ConfigurableModuleBuilder } from '@nestjs/common';
import { type K8sAuthOptions } from './config/k8s-auth.options.js';

/**
 * `forRoot`, `forRootAsync` (useFactory, useClass, useExisting) and `isGlobal`, which is true unless set: feature
 * modules then need no import of their own. `isGlobal` stands beside the factory, not in what it returns.
 */
export const {
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN: K8S_AUTH_OPTIONS,
  OPTIONS_TYPE,
  ASYNC_OPTIONS_TYPE,
} = new ConfigurableModuleBuilder<K8sAuthOptions>({
  moduleName: 'K8sAuth',
  // Nest's error shows the text to users who import the class itself.
  optionsInjectionToken: Symbol(
    'options of K8sAuthModule: import K8sAuthModule.forRoot(...) or K8sAuthModule.forRootAsync(...), not K8sAuthModule alone',
  ),
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createK8sAuthOptions')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
  .build();

/** What `useClass` and `useExisting` of `forRootAsync` have to be. @publicApi */
export interface K8sAuthOptionsFactory {
  createK8sAuthOptions(): K8sAuthOptions | Promise<K8sAuthOptions>;
}
