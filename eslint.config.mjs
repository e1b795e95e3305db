import js from '@eslint/js';
import jest from 'eslint-plugin-jest';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

const oneIdeaPerFile = {
  'max-lines': ['error', { max: 200, skipBlankLines: true, skipComments: true }],
  'max-lines-per-function': ['error', { max: 40, skipBlankLines: true, skipComments: true }],
};

// Time has one door, util/clock.ts, and the environment three: see ARCHITECTURE.md, invariant 7.
const oneDoor = {
  'no-restricted-globals': ['error', 'setTimeout', 'setInterval', 'setImmediate', 'performance'],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'use the Clock of util/clock.ts' },
    { object: 'process', property: 'env', message: 'the environment is read in the config files only' },
    { object: 'URL', property: 'canParse', message: 'use parseUrl of util/syntax.ts' },
  ],
};

const NODE_GLOBALS = Object.fromEntries(
  [
    'process',
    'console',
    'URL',
    'fetch',
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'module',
  ].map((name) => [name, 'writable']),
);

// The live page of `nest-k8s-auth dev`.
const BROWSER_GLOBALS = Object.fromEntries(
  ['document', 'location', 'matchMedia', 'addEventListener', 'EventSource'].map((name) => [name, 'readonly']),
);

// docs/adr/0016 has the cost of each. `import(...)` and imports of types are allowed.
const importedOnFirstUse = {
  '@typescript-eslint/no-restricted-imports': [
    'error',
    ...['@kubernetes/client-node', '@nestjs/axios', '@nestjs/config', 'axios', 'openid-client', 'undici'].map(
      (name) => ({
        name,
        message: 'import it with import(...) where it is needed',
        allowTypeImports: true,
      }),
    ),
  ],
};

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/coverage/**',
      'docs/.vitepress/{cache,pages}/**',
      '**/node_modules/**',
      'test/types/fixtures/**',
      // Built in an image of its own, with files that its test puts beside.
      'test/cluster/other-service/**',
      // Projects of users with packages of their own. `npm run test:samples` compiles them.
      'samples/**',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: ['libs/*/{src,testing,prometheus,opentelemetry,terminus,cli}/**/*.ts', 'apps/**/*.ts'],
    rules: oneIdeaPerFile,
  },
  {
    files: ['libs/*/src/**/*.ts'],
    ignores: ['**/*.spec.ts', '**/*.fixture.ts'],
    rules: importedOnFirstUse,
  },
  {
    files: ['libs/*/{src,prometheus,opentelemetry,terminus}/**/*.ts'],
    ignores: ['**/*.spec.ts', '**/util/clock.ts', '**/k8s-auth.config.ts'],
    rules: oneDoor,
  },
  {
    files: [
      '**/*.spec.ts',
      '**/*.contract.ts',
      '**/*.fixture.ts',
      'libs/*/test-support/**/*.ts',
      'test/**/*.ts',
    ],
    ...jest.configs['flat/recommended'],
    settings: { jest: { version: 30, globalPackage: '@jest/globals' } },
    rules: {
      ...jest.configs['flat/recommended'].rules,
      'jest/expect-expect': ['error', { assertFunctionNames: ['expect', 'expect*', '**.expect'] }],
      'jest/no-standalone-expect': ['error', { additionalTestBlockFunctions: ['itIfPossible'] }],
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': 'off',
    },
  },
  { files: ['**/*.mjs', '**/*.cjs'], ...tseslint.configs.disableTypeChecked },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    languageOptions: { globals: NODE_GLOBALS },
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { globals: { require: 'readonly', __dirname: 'readonly' } },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  { files: ['libs/*/cli/dev/page/static/*.mjs'], languageOptions: { globals: BROWSER_GLOBALS } },
  prettier,
);
