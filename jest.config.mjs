const swc = [
  '@swc/jest',
  {
    sourceMaps: 'inline',
    module: { type: 'es6' },
    jsc: {
      target: 'es2022',
      keepClassNames: true,
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: true },
    },
  },
];

const base = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': swc },
  // The workspace's own sources instead of its build, see "exports" in libs/k8s-auth/package.json.
  testEnvironmentOptions: { customExportConditions: ['@nest-k8s-auth/source', 'node', 'node-addons'] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  setupFiles: ['reflect-metadata'],
  modulePathIgnorePatterns: ['/dist/'],
};

// Nest's packages in version 11, which test/nest-11 has beside it; its other packages are what Nest 12 uses.
const nest11 = {
  '^@nestjs/(apollo|axios|common|config|core|graphql|mercurius|microservices|platform-express|platform-fastify|platform-socket.io|platform-ws|terminus|testing|websockets)(/.*)?$':
    '<rootDir>/test/nest-11/node_modules/@nestjs/$1$2',
};

export default {
  // ES modules of finished tests stay in memory: after some hundred files a worker would reach the limit of Node's heap.
  workerIdleMemoryLimit: '1GB',
  // Jest leaves one core free, which on two cores is half of the machine.
  maxWorkers: '100%',
  // A limit for what hangs, not for what is slow: nothing here depends on the speed of the machine.
  testTimeout: 30_000,
  projects: [
    { ...base, displayName: 'unit', testMatch: ['<rootDir>/{apps,libs}/**/*.spec.ts'] },
    {
      ...base,
      displayName: 'nest-11',
      moduleNameMapper: { ...base.moduleNameMapper, ...nest11 },
      testMatch: [
        '<rootDir>/libs/k8s-auth/src/{inbound,outbound}/**/*.spec.ts',
        '<rootDir>/libs/k8s-auth/src/k8s-auth.*.spec.ts',
        '<rootDir>/libs/k8s-auth/testing/application/*.spec.ts',
        '<rootDir>/libs/k8s-auth/{prometheus,opentelemetry,terminus}/*.spec.ts',
      ],
    },
    { ...base, displayName: 'integration', testMatch: ['<rootDir>/test/!(cluster|nest-11)/**/*.spec.ts'] },
  ],
  collectCoverageFrom: ['libs/k8s-auth/src/**/*.ts', '!**/*.{spec,fixture}.ts'],
  coverageDirectory: 'coverage',
  coverageThreshold: { global: { lines: 95, branches: 95 } },
};
