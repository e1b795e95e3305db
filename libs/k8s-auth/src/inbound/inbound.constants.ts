/** Injection token of the {@link Verifier}; its value is `undefined` in a service that only calls others. @internal */
export const K8S_AUTH_VERIFIER = Symbol('K8S_AUTH:VERIFIER');

/** Injection token of the {@link InboundRoot}. Nest's error shows the text to users who forgot the module. @internal */
// `Symbol.for`, because `npx nest-k8s-auth routes` may load another build of the library than the application.
export const K8S_AUTH_INBOUND_ROOT = Symbol.for(
  'from K8sAuthModule: import K8sAuthModule.forRoot(...) or K8sAuthModule.forRootAsync(...); in the test of one controller, use overrideGuard(K8sAuthGuard)',
);

/** The property of the global object that stores the declarations of our decorators. @internal */
export const DECLARATION_RECORDS = Symbol.for('nest-k8s-auth:statements');

/** The property of the global object that stores the `@EnforceK8sAuth` decorators. @internal */
export const ENFORCEMENT_RECORDS = Symbol.for('nest-k8s-auth:enforcement');

// Metadata keys. `Symbol.for`, because one process may load the library twice.

/** On a class or a function: its declaration. A function that replaces it may copy this metadata. @internal */
export const DECLARATION = Symbol.for('nest-k8s-auth:declaration');

/** On a function: the classes with `@K8sAuth` that contain it. A copy of the function may keep this. @internal */
export const HOME_CLASSES = Symbol.for('nest-k8s-auth:homes');

/** On each function that Nest routes: the function itself. A wrapper that copies the metadata refers to it. @internal */
export const ORIGINAL = Symbol.for('nest-k8s-auth:original');

/** Marks the guard of the testing entry point, which may replace `K8sAuthGuard`. @internal */
export const AUTHENTICATES_IN_TESTS = Symbol.for('nest-k8s-auth:authenticates-in-tests');

/** Marks the guard of the testing entry point that gives requests without credentials the token of a caller. @internal */
export const SUPPLIES_TEST_CALLERS = Symbol.for('nest-k8s-auth:supplies-test-callers');
