import { createTheme, type MantineColorsTuple } from '@mantine/core';

const tandem: MantineColorsTuple = [
  '#e6fbf4',
  '#cff3e6',
  '#9fe6cd',
  '#6bd9b1',
  '#43ce9a',
  '#27c48b',
  '#0fa678',
  '#087f5b',
  '#066649',
  '#044d37',
];

export const theme = createTheme({
  primaryColor: 'tandem',
  primaryShade: { light: 7, dark: 7 },
  colors: { tandem },
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  headings: { fontWeight: '650' },
  cursorType: 'pointer',
  focusRing: 'auto',
});
