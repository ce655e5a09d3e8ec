import '@mantine/core/styles.css';
import './page.css';
import { MantineProvider } from '@mantine/core';
import { createRoot } from 'react-dom/client';
import { App } from './components/app.tsx';
import { pageParts } from './page-parts.ts';
import { theme } from './theme.ts';

// The policy of the page lets in only styles that carry the nonce of this answer.
const nonce = document.querySelector<HTMLMetaElement>('meta[name="nonce"]')?.content ?? '';
const root = document.getElementById('page');
if (root === null) throw new Error('the document lacks its element "page"');

createRoot(root).render(
  <MantineProvider theme={theme} defaultColorScheme="auto" getStyleNonce={() => nonce}>
    <App parts={pageParts()} />
  </MantineProvider>,
);
