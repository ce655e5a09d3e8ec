import type { Scope } from '../../testkit/scope.ts';

/** Cleans up in the opposite order of making: a phone still finds its server when it says goodbye. */
export function reverseScope(scope: Scope): Scope {
  const cleanUps: (() => void | Promise<void>)[] = [];
  scope.after(async () => {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  });
  return { after: (cleanUp) => void cleanUps.push(cleanUp) };
}
