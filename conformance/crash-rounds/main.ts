import { parseArgs } from 'node:util';
import type { Scope } from '../../src/testkit/scope.ts';
import { crashRounds } from './crash-rounds.ts';

const DEFAULT_ROUNDS = 20;

// npm run crash-rounds -- ROUNDS [--seed N] [--postgresql URL]
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string' }, postgresql: { type: 'string' } },
});
const rounds = Number(positionals[0] ?? DEFAULT_ROUNDS);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
if (!Number.isSafeInteger(rounds) || rounds < 1 || !Number.isSafeInteger(seed)) {
  console.error('usage: npm run crash-rounds -- [ROUNDS] [--seed N] [--postgresql URL]');
  process.exit(2);
}
const say = (line: string): void => console.log(line);
const cleanUps: (() => Promise<void>)[] = [];
const scope: Scope = { after: (cleanUp) => void cleanUps.push(cleanUp) };
say(`${rounds} rounds, seed ${seed}`);
try {
  const { postgresql } = values;
  const verdict = await crashRounds(scope, { rounds, seed, say, ...(postgresql === undefined ? {} : { postgresql }) });
  say(JSON.stringify(verdict));
  say('every promise was kept');
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  for (const cleanUp of cleanUps) await cleanUp();
}
