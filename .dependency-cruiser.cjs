// The arrows of ARCHITECTURE.md, as failing checks.
const lib = '^libs/k8s-auth/src';
// What the specs of several folders share. It is not packed.
const testSupport = '^libs/k8s-auth/test-support/';
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
      from: {
        orphan: true,
        path: '^(libs|apps)/',
        pathNot: [spec, '\\.d\\.ts$', '/cli/main\\.ts$', '/bin/'],
      },
      to: {},
    },
    {
      name: 'apps-use-the-index-only',
      severity: 'error',
      from: { path: '^apps/' },
      to: {
        path: '^libs/',
        pathNot: '^libs/k8s-auth/(dist/)?(src|prometheus|opentelemetry|terminus)/index\\.(ts|js|d\\.ts)$',
      },
    },
    {
      name: 'sources-never-import-the-testing-entry',
      severity: 'error',
      from: { path: `${lib}/`, pathNot: spec },
      to: { path: '^libs/k8s-auth/testing/' },
    },
    {
      // A service must not load the command line.
      name: 'only-the-command-line-imports-itself',
      severity: 'error',
      from: { path: '^(libs/k8s-auth/(src|testing)|apps)/' },
      to: { path: '^libs/k8s-auth/cli/' },
    },
    {
      name: 'only-tests-import-test-support',
      severity: 'error',
      from: { pathNot: [spec, testSupport, '^test/'] },
      to: { path: testSupport },
    },
    {
      // Tests find development packages too; an installed library does not have them.
      name: 'sources-import-only-packages-that-are-installed-with-them',
      severity: 'error',
      from: {
        path: '^(libs/k8s-auth|apps/[^/]+)/(src|testing|prometheus|opentelemetry|terminus|cli)/',
        pathNot: spec,
      },
      // zod becomes part of the build. The others are optional peer dependencies.
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown'],
        pathNot:
          'node_modules/(zod|@peculiar/x509|axios|prom-client|@opentelemetry/api|@nestjs/(microservices|websockets|terminus))/',
      },
    },
    arrow('util', ['errors']),
    arrow('errors', []),
    arrow('identity', ['errors', 'util']),
    arrow('authorization', ['identity', 'errors', 'util']),
    arrow('events', ['identity', 'errors', 'util']),
    arrow('jwt', ['identity', 'errors', 'util']),
    arrow('http', ['errors', 'util']),
    arrow('token-file', ['events', 'jwt', 'errors', 'util']),
    arrow('api-server', ['events', 'http', 'token-file', 'jwt', 'errors', 'util']),
    arrow('keys', ['events', 'api-server', 'http', 'jwt', 'errors', 'util']),
    arrow('verifiers', ['events', 'keys', 'api-server', 'token-file', 'jwt', 'identity', 'errors', 'util']),
    arrow('inbound', ['events', 'verifiers/verifier', 'authorization', 'jwt', 'identity', 'errors', 'util']),
    arrow('outbound', ['events', 'token-file', 'errors', 'util']),
    arrow('config', ['events', 'verifiers', 'outbound/destinations', 'identity', 'errors', 'util']),
    {
      // What several kinds need stands beside their folders, or in reviews/.
      name: 'verifiers-import-no-sibling',
      severity: 'error',
      from: { path: `${lib}/verifiers/([^/]+)/`, pathNot: spec },
      to: { path: `${lib}/verifiers/[^/]+/`, pathNot: `${lib}/verifiers/($1|reviews)/` },
    },
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
