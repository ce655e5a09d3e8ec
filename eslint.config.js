import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import typescript from 'typescript-eslint';
import { BROWSER_SAFE } from './scripts/layout.mjs';

const TESTS = [
  '**/*.test.ts',
  '**/*.fixture.ts',
  'src/**/test/**',
  'src/**/compliance.ts',
  'src/testkit/**',
  'conformance/**',
  'bench/**',
];
const NODE_GLOBALS = [
  'process',
  'console',
  'URL',
  'URLSearchParams',
  'performance',
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'fetch',
  'Buffer',
  'AbortSignal',
  'AbortController',
];

// setImmediate is not among them: it waits for no time, only for the events that are already there.
const TIMERS = 'setTimeout|setInterval';
/** Time and randomness enter through ports (src/base/clock.ts, src/base/random.ts), so that virtual time and a seed repeat a run. */
const UNPORTED = [
  {
    selector: "MemberExpression[object.name='Date'][property.name='now']",
    message: 'Take a Clock (src/base/clock.ts) and use its now().',
  },
  {
    selector: "MemberExpression[object.name='performance'][property.name='now']",
    message: 'Take a Clock (src/base/clock.ts) and use its now().',
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0], CallExpression[callee.name='Date']",
    message: 'Take a Clock (src/base/clock.ts) and use new Date(clock.now()).',
  },
  {
    selector: `CallExpression[callee.name=/^(?:${TIMERS})$/], CallExpression[callee.object.name='globalThis'][callee.property.name=/^(?:${TIMERS})$/]`,
    message: 'Take a Clock (src/base/clock.ts) and use clock.at(), after() or sleep().',
  },
  {
    selector: "MemberExpression[object.name='AbortSignal'][property.name='timeout']",
    message: 'Take a Clock (src/base/clock.ts) and abort from a timer of it.',
  },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'Take a Random (src/base/random.ts).',
  },
  {
    selector:
      'CallExpression[callee.property.name=/^(?:randomBytes|randomUUID|randomInt|getRandomValues)$/], CallExpression[callee.name=/^(?:randomBytes|randomUUID|randomInt)$/]',
    message: 'Take a Random (src/base/random.ts).',
  },
  {
    selector: "MemberExpression[object.name='process'][property.name=/^(?:env|argv)$/]",
    message: 'Only server and cli read the environment and arguments: take a checked option.',
  },
];
const UNPORTED_IMPORTS = ['timers', 'timers/promises', 'node:timers', 'node:timers/promises'].map((name) => ({
  name,
  message: 'Take a Clock (src/base/clock.ts).',
}));

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', 'examples/**/node_modules/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  eslint.configs.recommended,
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: { globals: Object.fromEntries(NODE_GLOBALS.map((name) => [name, 'readonly'])) },
  },
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [typescript.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all', ignoreRestSiblings: true },
      ],
      // A method that fulfils an asynchronous port need not wait for anything.
      '@typescript-eslint/require-await': 'off',
      // Ports are objects of functions; they do not use `this`.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, defaultFrom: true } }],
      // Parsers of untrusted bytes name control characters on purpose.
      'no-control-regex': 'off',
      'no-console': 'error',
      eqeqeq: ['error', 'always'],
      'max-params': ['error', 4],
      'prefer-const': 'error',
      'no-var': 'error',
    },
  },
  {
    files: ['src/**/*.ts', 'src/**/*.tsx'],
    ignores: [...TESTS, 'src/cli/**', 'src/server/**', 'src/measure/**'],
    rules: {
      'no-restricted-syntax': ['error', ...UNPORTED],
      'no-restricted-imports': ['error', { paths: UNPORTED_IMPORTS }],
    },
  },
  {
    files: BROWSER_SAFE.map((name) => `src/${name}/**/*.ts?(x)`),
    ignores: TESTS,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: UNPORTED_IMPORTS,
          patterns: [{ regex: '^node:', message: 'This package runs in browsers too: take a port from src/base.' }],
        },
      ],
    },
  },
  {
    // The ports themselves, and adapters of Node (node-network.ts): here real time and real randomness come in.
    files: ['src/base/clock.ts', 'src/base/virtual-clock.ts', 'src/base/random.ts', 'src/**/node-*.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: [...TESTS, 'src/cli/**/*.ts', 'examples/**', 'src/measure/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: TESTS,
    rules: {
      // node:test's test() and suite() give promises that the runner itself awaits.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', name: ['test', 'describe', 'it', 'suite'], package: 'node:test' },
          ],
        },
      ],
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      'max-params': 'off',
    },
  },
);
