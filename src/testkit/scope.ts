/** Where clean-up is handed in: a test's context, or `{ after }` of node:test for what a whole file shares. */
export interface Scope {
  after(cleanUp: () => Promise<void>): void;
}

const stacks = new WeakMap<Scope, (() => void | Promise<void>)[]>();

/**
 * Runs the clean-up when the scope ends: the latest first, and each of them even when one fails (node:test leaves out
 * the hooks after a failed one, and what they would have stopped keeps the run alive for ever).
 */
export function atEnd(scope: Scope, cleanUp: () => void | Promise<void>): void {
  const known = stacks.get(scope);
  if (known !== undefined) {
    known.push(cleanUp);
    return;
  }
  const stack = [cleanUp];
  stacks.set(scope, stack);
  scope.after(() => runAll(stack));
}

async function runAll(stack: (() => void | Promise<void>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    try {
      await next();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, failures.map(String).join('\n'));
}
