/** `(555) 123-4567` for a number of the North American plan; others as they are. */
export function formatNumber(address: string): string {
  const [, area, office, line] = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(address) ?? [];
  return area === undefined ? address : `(${area}) ${office}-${line}`;
}
