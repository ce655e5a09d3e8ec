// How scripts/build-page.mjs builds the first page from src/web.
import { join } from 'node:path';
import { defineConfig } from 'vite';

const ROOT = import.meta.dirname;

export default defineConfig({
  root: join(ROOT, 'src/web'),
  // The document is at /, its files are below the console's door.
  base: '/console/',
  publicDir: false,
  build: {
    outDir: process.env.TANDEM_PAGE_OUT ?? join(ROOT, 'dist/page'),
    emptyOutDir: true,
    // Browsers of the last two years: they know light-dark(), CSS nesting and private methods.
    target: ['chrome125', 'firefox128', 'safari17.5'],
    // Everything is a file of its own: a strict policy takes no data: scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  oxc: { jsx: { runtime: 'automatic' } },
});
