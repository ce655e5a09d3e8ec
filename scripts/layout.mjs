// The one table of packages under src/, and of the arrows between them. Everything that must know the layout reads it here.

const GROUND = ['grant', 'directory', 'store', 'lane', 'ledger', 'http', 'bus'];
const DOMAINS = ['comms', 'overlay', 'content', 'naming', 'social'];

/**
 * A row: the package, whether it must run in a browser, what it may import, and what it may only import lazily
 * (`await import`) or as types. A part of a package (`lane/pace`: that folder, or the files whose names begin so) has
 * a row of its own before the package's; only who names it may import it, the rest of its package too.
 */
export const LAYOUT = [
  // rank 0: pure
  { path: 'base', browserSafe: true, may: [] },
  { path: 'wire', browserSafe: true, may: ['base'] },
  // rank 1: ground
  { path: 'grant', browserSafe: true, may: ['base'] },
  // What passed between the parties of a call, and how it is told.
  { path: 'trace', browserSafe: true, may: ['base'] },
  { path: 'directory', browserSafe: true, may: ['base', 'grant'] },
  { path: 'store', may: ['base'] },
  // Only the queue needs the store; the engines take pace alone.
  { path: 'lane/lane-error', may: ['base'] },
  { path: 'lane/pace', may: ['base', 'lane/lane-error'] },
  { path: 'lane/reserve', may: ['base', 'lane/lane-error'] },
  { path: 'lane', may: ['base', 'store', 'lane/lane-error', 'lane/pace', 'lane/reserve'] },
  { path: 'ledger', may: ['base', 'store'] },
  { path: 'http', may: ['base', 'wire'] },
  { path: 'bus', may: ['base'] },
  // rank 2: engines
  { path: 'sip', may: ['base', 'wire', 'directory', 'lane/pace'] },
  // Browsers as phones: their signalling.
  { path: 'webphone', may: ['base', 'wire', 'grant', 'directory', 'lane/pace'] },
  { path: 'media', may: ['base', 'wire'] },
  { path: 'relay', may: ['base', 'wire', 'grant', 'lane/pace'] },
  // rank 3: domains; they never import each other
  { path: 'comms', may: ['base', 'wire', ...GROUND, 'sip', 'webphone', 'media'] },
  { path: 'overlay', may: ['base', 'wire', 'grant', 'directory', 'store', 'lane', 'ledger'] },
  { path: 'content', may: ['base', 'wire', ...GROUND, 'relay'] },
  { path: 'naming', may: ['base', 'wire', 'grant', 'directory', 'store', 'lane', 'http'] },
  { path: 'social', browserSafe: true, may: ['base', 'wire', 'grant', 'directory'] },
  // rank 4: surfaces
  { path: 'api', may: ['base', 'wire', 'grant', 'lane/pace', 'webphone', 'comms', 'overlay', 'content', 'naming'] },
  // It joins a whole call service in memory, which asks the application over real HTTP.
  {
    path: 'scripted-phone',
    may: ['base', 'wire', 'http', 'bus', 'directory', 'store', 'lane', 'ledger', 'sip', 'webphone', 'media', 'comms'],
    // Only a phone that wants it pays for the REST API.
    lazily: ['api'],
  },
  { path: 'client', browserSafe: true, may: ['base', 'wire'] },
  { path: 'web', browserSafe: true, may: ['base', 'wire', 'grant', 'directory', 'social', 'client'] },
  // rank 5: roots
  {
    path: 'server',
    may: ['base', 'wire', 'trace', ...GROUND, 'sip', 'webphone', 'media', 'relay', ...DOMAINS, 'api', 'scripted-phone'],
  },
  {
    path: 'measure',
    may: [
      'base',
      'wire',
      ...GROUND,
      'sip',
      'webphone',
      'media',
      'relay',
      ...DOMAINS,
      'api',
      'scripted-phone',
      'client',
      'server',
    ],
  },
  { path: 'cli', may: ['base', 'trace'], lazily: ['server', 'scripted-phone', 'measure'] },
  // development only: tests may import it, nothing else may
  { path: 'testkit', may: ['base'] },
];

/** Importable by tests of every package. */
export const TEST_ONLY = 'testkit';

/** Packages that use nothing of Node. */
export const BROWSER_SAFE = LAYOUT.filter((row) => row.browserSafe).map((row) => row.path);

/** Package folders under src/. */
export const PACKAGES = [...new Set(LAYOUT.map((row) => row.path.split('/')[0]))];
