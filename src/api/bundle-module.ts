import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

/**
 * Makes one JavaScript module of a TypeScript file and all that it imports, for browsers. It needs nothing installed and
 * knows the forms of this code alone: relative imports by name, exports by name where they are declared or taken from
 * another file. Whatever else it meets is an error, not a broken page.
 */
export function bundleModule(entry: URL): string {
  const bundle = new Bundle();
  const last = bundle.add(entry);
  const names = bundle.exportsOf(last);
  return `${bundle.text}export const { ${names.join(', ')} } = ${last};\n`;
}

const IMPORT = /^import\s*\{([^}]*)\}\s*from\s*'(\.{1,2}\/[^']+)';/gm;
const REEXPORT = /^export\s*\{([^}]*)\}\s*from\s*'(\.{1,2}\/[^']+)';/gm;
const DECLARATION = /^export ((?:async )?(?:function\*?|class|const|let) (\w+))/gm;
const LEFT = /^(?:import|export)\b.*$/m;

class Bundle {
  text = '';
  readonly #names = new Map<string, string>();
  readonly #exports = new Map<string, readonly string[]>();

  /** The name of the module's object of exports; imported modules come before it, since there are no cycles. */
  add(file: URL): string {
    const known = this.#names.get(file.href);
    if (known !== undefined) return known;
    const exported: string[] = [];
    const body = stripped(readFileSync(file, 'utf8'))
      .replace(
        IMPORT,
        (_, names: string, path: string) => `const {${renamed(names)}} = ${this.add(new URL(path, file))};`,
      )
      .replace(REEXPORT, (_, names: string, path: string) => {
        exported.push(...namesIn(names));
        return `const {${renamed(names)}} = ${this.add(new URL(path, file))};`;
      })
      .replace(DECLARATION, (_, declaration: string, name: string) => {
        exported.push(name);
        return declaration;
      });
    const left = LEFT.exec(body);
    if (left !== null) throw new Error(`${file.pathname}: cannot bundle ${JSON.stringify(left[0])}`);
    const name = `module${this.#names.size}`;
    this.#names.set(file.href, name);
    this.#exports.set(name, exported);
    this.text += `const ${name} = (() => {\n${tidy(body)}return { ${exported.join(', ')} };\n})();\n`;
    return name;
  }

  exportsOf(name: string): readonly string[] {
    return this.#exports.get(name) ?? [];
  }
}

/** Node warns that stripping types by this function is an experiment; that it runs this very file so, it does not. */
function stripped(code: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(code);
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** `a, b as c` of an import as `a, b: c` of a destructuring. */
function renamed(names: string): string {
  return names.replace(/\s+as\s+/g, ': ').replace(/\s+/g, ' ');
}

function namesIn(names: string): readonly string[] {
  return names
    .split(',')
    .map(
      (each) =>
        each
          .trim()
          .split(/\s+as\s+/)
          .at(-1) ?? '',
    )
    .filter((name) => name !== '');
}

/** Where a type stood there is blank space now. */
function tidy(code: string): string {
  return `${code
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}
