const MAX_SLIPS = 2;
/** Longer words are compared with nothing: no key is that long. */
const MAX_CHARS = 64;

/** The key that somebody meant who slipped at most twice; undefined where none is that near. */
export function nearestKey(word: string, keys: readonly string[]): string | undefined {
  if (word.length > MAX_CHARS) return undefined;
  const ranked = keys
    .map((key) => ({ key, slips: slipsBetween(word.toLowerCase(), key.toLowerCase()) }))
    .sort((a, b) => a.slips - b.slips);
  const [best] = ranked;
  return best !== undefined && best.slips <= Math.min(MAX_SLIPS, word.length - 1) ? best.key : undefined;
}

/** Letters to add, leave out or exchange (Levenshtein's distance), a row of the table at a time. */
function slipsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1];
    for (const [column, other] of [...b].entries()) {
      const exchanged = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(exchanged, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
