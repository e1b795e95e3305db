// The arrows of ARCHITECTURE.md, as failing checks.
const lib = '^libs/k8s-auth/src';
const spec = '\\.(spec|contract|fixture)\\.ts$';

/** `from` may import only `to` (folders of the library) and packages. */
function arrow(from, to) {
  return {
    name: `${from}-imports-only-${to.join('-') || 'packages'}`,
    severity: 'error',
    from: { path: `${lib}/${from}/`, pathNot: spec },
    to: { path: '^(libs|apps|test|scripts)/', pathNot: [from, ...to].map((folder) => `${lib}/${folder}`) },
  };
}

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^(libs|apps)/', pathNot: [spec, '\\.d\\.ts$'] },
      to: {},
    },
    {
      name: 'apps-use-the-index-only',
      severity: 'error',
      from: { path: '^apps/' },
      to: { path: '^libs/', pathNot: '^libs/k8s-auth/(src/index\\.ts|dist/src/index\\.(js|d\\.ts))$' },
    },
    {
      name: 'sources-never-import-the-testing-entry',
      severity: 'error',
      from: { path: `${lib}/`, pathNot: spec },
      to: { path: '^libs/k8s-auth/testing/' },
    },
    {
      // Tests find development packages too; an installed library does not have them.
      name: 'sources-import-only-packages-that-are-installed-with-them',
      severity: 'error',
      from: { path: '^(libs/k8s-auth|apps/[^/]+)/(src|testing)/', pathNot: spec },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown'] },
    },
    arrow('shared', ['errors']),
    arrow('errors', []),
    arrow('identity', ['errors', 'shared']),
    arrow('authorization', ['identity', 'errors', 'shared']),
    arrow('api-server', ['errors', 'shared']),
    arrow('verifiers', ['api-server', 'identity', 'errors', 'shared']),
    arrow('inbound', ['verifiers/token-verifier', 'authorization', 'identity', 'errors', 'shared']),
    arrow('outbound', ['errors', 'shared', 'k8s-auth.log']),
    ...['tokenreview', 'jwt-pubkey', 'oidc-discovery'].map((kind) => ({
      name: `${kind}-imports-no-sibling`,
      severity: 'error',
      from: { path: `${lib}/verifiers/${kind}/`, pathNot: spec },
      to: { path: `${lib}/verifiers/[^/]+/`, pathNot: `${lib}/verifiers/(${kind}|jwt)/` },
    })),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|coverage)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@nest-k8s-auth/source', 'import', 'node', 'default', 'types'],
    },
  },
};
