// The gate for imports under src/: every arrow is in layout.mjs, there is no cycle (type imports included), and nothing of
// Node is in a package that must run in a browser. It fails when it did not read every file.
import { existsSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cruise } from 'dependency-cruiser';
import { BROWSER_SAFE, LAYOUT, PACKAGES, TEST_ONLY } from './layout.mjs';
import { ROOT } from './set-up.mjs';

/** Just below the number of files in src; a gate that sees less does not see all. */
const MIN_FILES = 650;

/** Node's own modules that exist only with their prefix, which dependency-cruiser does not know by itself. */
const PREFIX_ONLY_MODULES = ['node:sqlite', 'node:test', 'node:test/reporters', 'node:sea'];

/** Tests, what they start (fixtures), test folders and compliance suites (which tests of other packages import). */
const TEST_FILE = '(?:\\.(?:test|fixture)\\.ts|/test/.+|/compliance\\.ts)$';

/** Files of a package, or of a part of one: `src/sip/...`, `src/lane/pace/...`, `src/lane/pace.ts`, `src/lane/pace-x.ts`. */
const filesOf = (path) => (path.includes('/') ? `^src/${path}(?:/|\\.|-)` : `^src/${path}/`);
const partsOf = (path) => LAYOUT.filter((row) => row.path.startsWith(`${path}/`)).map((row) => filesOf(row.path));

/** The table as dependency-cruiser's rules. */
function rules() {
  return [
    { name: 'no-cycle', from: {}, to: { circular: true } },
    { name: 'must-resolve', from: {}, to: { couldNotResolve: true } },
    { name: 'stays-in-src', from: {}, to: { dependencyTypes: ['local'], pathNot: '^src/' } },
    {
      name: 'browser-safe',
      from: { path: BROWSER_SAFE.map(filesOf), pathNot: TEST_FILE },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'only-tests-import-testkit',
      from: { pathNot: [TEST_FILE, filesOf(TEST_ONLY)] },
      to: { path: filesOf(TEST_ONLY) },
    },
    { name: 'only-tests-import-tests', from: { pathNot: TEST_FILE }, to: { path: TEST_FILE } },
    ...LAYOUT.flatMap(arrowsFrom),
  ].map((rule) => ({ severity: 'error', ...rule }));
}

function arrowsFrom({ path, may, lazily = [] }) {
  const parts = partsOf(path);
  const from = { path: filesOf(path), ...(parts.length > 0 && { pathNot: parts }) };
  const declared = [...may, TEST_ONLY].map(filesOf);
  // Own files are free, but a part with arrows of its own would smuggle those in.
  const own =
    parts.length > 0
      ? `^src/${path}/(?!${parts.map((part) => part.slice(`^src/${path}/`.length)).join('|')})`
      : filesOf(path);
  const undeclared = { path: '^src/', pathNot: [own, ...declared, ...lazily.map(filesOf)] };
  const eager = lazily.length > 0 && {
    name: `${path} imports ${lazily.join(', ')} only lazily`,
    from: { ...from, pathNot: [TEST_FILE, ...parts] },
    to: { path: lazily.map(filesOf), dependencyTypesNot: ['dynamic-import', 'type-only'] },
  };
  const arrow = { name: `${path} may import ${may.join(', ') || 'nothing'}`, from, to: undeclared };
  return eager ? [arrow, eager] : [arrow];
}

/** Reads every TypeScript file under `root`/src: `{ files, problems }`, one line for each thing that is wrong. */
export async function checkArrows({ root, minFiles = MIN_FILES }) {
  const files = typeScriptFiles(root);
  const problems = strangers(files);
  if (files.length < minFiles) problems.push(`src holds ${files.length} TypeScript files, wanted at least ${minFiles}`);
  if (files.length === 0) return { files, problems };

  const { output } = await cruise(['src'], {
    baseDir: root,
    ruleSet: { forbidden: rules() },
    validate: true,
    // Without this, type imports are erased before they are looked at.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
    builtInModules: { add: PREFIX_ONLY_MODULES },
  });
  const read = new Set(output.modules.map((module) => module.source));
  problems.push(...files.filter((file) => !read.has(file)).map((file) => `${file} was not read`));
  problems.push(...output.summary.violations.map(describe));
  return { files, problems: [...new Set(problems)] };
}

function typeScriptFiles(root) {
  const src = join(root, 'src');
  if (!existsSync(src)) return [];
  return readdirSync(src, { recursive: true })
    .map((path) => join('src', path).split(sep).join('/'))
    .filter((path) => /\.tsx?$/.test(path))
    .sort();
}

/** A file in a folder that the table does not know, or in none. */
function strangers(files) {
  const unknown = files.filter((file) => !PACKAGES.some((name) => file.startsWith(`src/${name}/`)));
  return unknown.map((file) => `${file} is in no package of scripts/layout.mjs`);
}

function describe({ rule, from, to, cycle }) {
  const path = cycle === undefined ? to : cycle.map((step) => step.name ?? step).join(' -> ');
  return `${from} -> ${path} (${rule.name})`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { files, problems } = await checkArrows({ root: ROOT });
  for (const problem of problems) console.error(problem);
  console.log(`arrows: ${files.length} files, ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
