const BEGIN = '# >>> tandem: hosts of the vendor are at this place; `tandem trust --uninstall` removes these lines';
const END = '# <<< tandem';
/** Lines stay readable, and below the limits of old resolvers. */
const NAMES_A_LINE = 4;

/** The text of a hosts file with these names at this address, in one marked block; what others wrote stays as it is. */
export function withHosts(text: string, address: string, names: readonly string[]): string {
  const rest = withoutHosts(text);
  const lines: string[] = [];
  for (let at = 0; at < names.length; at += NAMES_A_LINE) {
    lines.push([address, ...names.slice(at, at + NAMES_A_LINE)].join(' '));
  }
  const before = rest === '' || rest.endsWith('\n') ? rest : `${rest}\n`;
  return `${before}${[BEGIN, ...lines, END].join('\n')}\n`;
}

/** The text without the block. One whose end is missing is left alone but for its first line: what follows may be another's. */
export function withoutHosts(text: string): string {
  const lines = text.split('\n');
  for (let begin = lines.indexOf(BEGIN); begin !== -1; begin = lines.indexOf(BEGIN)) {
    const end = lines.indexOf(END, begin);
    lines.splice(begin, end === -1 ? 1 : end - begin + 1);
  }
  return lines.join('\n');
}

/** Lines outside the block that lead one of the names elsewhere; resolvers take the first line that has a name. */
export function otherLinesFor(text: string, address: string, names: readonly string[]): readonly string[] {
  return withoutHosts(text)
    .split('\n')
    .filter((line) => {
      const [to = '', ...named] = (line.split('#', 1)[0] ?? '').trim().split(/\s+/);
      return to !== address && named.some((name) => names.includes(name.toLowerCase()));
    });
}
