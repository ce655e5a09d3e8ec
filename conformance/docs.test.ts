import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { buildProgram } from '../src/cli/main.ts';
import { ConfigSchema } from '../src/server/config.ts';
import { loadConfig } from '../src/server/load-config.ts';
import { NOT_RUN_NOUNS, NOT_RUN_VERBS } from '../src/wire/twiml/verb-table.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGES = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', ...markdownBelow('docs')];
/** Far below what there is: a check that finds nothing to check must not be green. */
const MIN_LINKS = 60;
const MIN_COMMANDS = 30;

function markdownBelow(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));
}

const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

interface Block {
  readonly language: string;
  readonly text: string;
}

/** The fenced blocks of a page, and the page without them. */
function blocksOf(page: string): { readonly blocks: readonly Block[]; readonly prose: string } {
  const blocks: Block[] = [];
  const prose = read(page).replace(/^```(\w*)\n(.*?)^```$/gms, (_, language: string, text: string) => {
    blocks.push({ language, text });
    return '';
  });
  return { blocks, prose };
}

/** As the hosting sites make them: lower case, punctuation gone, blanks to hyphens. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...blocksOf(page).prose.matchAll(/^#+ (.+)$/gm)].map((match) => match[1] ?? '');
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

interface Link {
  readonly page: string;
  readonly target: string;
}

function relativeLinks(): readonly Link[] {
  return PAGES.flatMap((page) =>
    [...blocksOf(page).prose.matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => ({ page, target: match[1] ?? '' }))
      .filter(({ target }) => !/^[a-z]+:/.test(target)),
  );
}

function broken({ page, target }: Link): string | undefined {
  const [path = '', anchor] = target.split('#', 2);
  const file = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
  if (!existsSync(join(ROOT, file))) return `${page}: ${target} is not there`;
  if (anchor === undefined || anchorsOf(file).has(anchor)) return undefined;
  return `${page}: ${target} has no such heading`;
}

/** Command lines of the shell blocks, and those quoted in prose. `…` stands for "some command". */
function commandLines(): readonly Link[] {
  return PAGES.flatMap((page) => {
    const { blocks, prose } = blocksOf(page);
    const shell = blocks.filter(({ language }) => ['sh', 'console', 'ini'].includes(language));
    const lines = shell.flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n'));
    const quoted = [...prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '');
    return [...lines, ...quoted].flatMap((line) => {
      const found = /^(?:\$ )?(?:npx tandem|tandem|npm start --|ExecStart=\S+ \S+tandem\.mjs) (.+)$/.exec(line.trim());
      const target = line.includes('npm start --') ? `up ${found?.[1]}` : (found?.[1] ?? '');
      return found === null || target.startsWith('…') ? [] : [{ page, target }];
    });
  });
}

function words(line: string): readonly string[] {
  const withoutComment = line.replace(/\s+#\s.*$/, '');
  return [...withoutComment.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? '',
  );
}

/** The command line with actions that do nothing. */
function silentProgram(): Command {
  const silence = (command: Command): void => {
    command.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
    // A command that only groups others has no action, and complains when none of them is named.
    if (command.commands.length === 0) command.action(() => undefined);
    command.commands.forEach(silence);
  };
  const program = buildProgram();
  silence(program);
  return program;
}

async function complaint({ page, target }: Link): Promise<string | undefined> {
  try {
    await silentProgram().parseAsync([...words(target)], { from: 'user' });
    return undefined;
  } catch (error) {
    return `${page}: tandem ${target}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function loadSample(text: string): Promise<Awaited<ReturnType<typeof loadConfig>>> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-docs-'));
  try {
    const file = join(folder, 'tandem.json');
    writeFileSync(file, text);
    return await loadConfig({ flags: { data: folder }, environment: {}, file });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

suite('the documentation', () => {
  test('links to files and headings that are there', () => {
    const links = relativeLinks();
    assert.ok(links.length >= MIN_LINKS, `${links.length} links, want at least ${MIN_LINKS}`);
    assert.deepEqual(
      links.flatMap((link) => broken(link) ?? []),
      [],
    );
  });

  test('is reachable from its first page', () => {
    const linked = new Set(
      relativeLinks().map(({ page, target }) =>
        relative(ROOT, join(ROOT, dirname(page), target.split('#', 1)[0] ?? '')),
      ),
    );
    assert.deepEqual(
      PAGES.filter((page) => page !== 'README.md' && !linked.has(page)),
      [],
    );
  });

  test('quotes only commands that the command line takes', async () => {
    const lines = commandLines();
    assert.ok(lines.length >= MIN_COMMANDS, `${lines.length} commands, want at least ${MIN_COMMANDS}`);
    const complaints = await Promise.all(lines.map(complaint));
    assert.deepEqual(
      complaints.filter((one) => one !== undefined),
      [],
    );
  });

  test('would notice a command that the command line does not take', async () => {
    for (const target of ['phone add', 'call +1 --twiml x', 'up --no-such-option', 'telephone']) {
      assert.notEqual(await complaint({ page: 'here', target }), undefined, target);
    }
  });

  test('shows a configuration that loads, and PostgreSQL beside it', async () => {
    const samples = blocksOf('docs/configuration.md').blocks.filter(({ language }) => language === 'json');
    const config = await loadSample(samples[0]?.text ?? '');
    assert.equal(config.applications[0]?.friendlyName, config.numbers[0]?.application);
    const [postgresql] = blocksOf('docs/operations.md').blocks.filter(({ language }) => language === 'json');
    assert.match((await loadSample(postgresql?.text ?? '')).postgresql ?? '', /^postgresql:/);
  });

  test('explains every key of the configuration with its flag and its environment name', () => {
    const text = read('docs/configuration.md');
    const rows = new Map([...text.matchAll(/^\| `(\w+)` +\| (?:`(--[\w-]+)`)? *\|/gm)].map((row) => [row[1], row[2]]));
    assert.deepEqual([...rows.keys()].sort(), Object.keys(ConfigSchema.properties).sort());
    const up = buildProgram().commands.find((command) => command.name() === 'up');
    const flags = new Map(up?.options.map((option) => [option.attributeName(), option.long]));
    for (const key of ['config', 'json']) flags.delete(key);
    for (const [key, flag] of rows) assert.equal(flag, flags.get(key ?? ''), `flag of ${key}`);
  });

  test('names every verb and noun that is understood but not run', () => {
    const text = read('docs/twiml.md');
    for (const name of [...Object.keys(NOT_RUN_VERBS), ...NOT_RUN_NOUNS]) assert.ok(text.includes(`\`${name}\``), name);
  });
});
