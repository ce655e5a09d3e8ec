// `npm run fuzz -- <target>|all [--seconds 600] [--seed 1]`: tries inputs, tells what it found, exits with 1 when it found something.
import { parseArgs } from 'node:util';
import { TARGET_NAMES, TARGETS } from './all-targets.ts';
import { fuzz, type Finding } from './fuzz.ts';
import { StallWatch } from './stall-watch.ts';

const SHOWN_BYTES = 2000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: '1' } },
});
const [wanted = 'all'] = positionals;
const names = TARGET_NAMES.filter((name) => wanted === 'all' || name === wanted);
if (names.length === 0) {
  console.error(`no target ${JSON.stringify(wanted)}: want all or one of ${TARGET_NAMES.join(', ')}`);
  process.exit(2);
}
const seconds = Number(values.seconds);
const seed = Number(values.seed);
if (!(seconds > 0) || !Number.isInteger(seed)) {
  console.error('want --seconds above 0 and --seed a whole number');
  process.exit(2);
}

let found = 0;
const watch = new StallWatch();
for (const name of names) {
  const target = await TARGETS[name]();
  const result = await fuzz(target, { seed, seconds, onFinding: tell, watch });
  await target.close?.();
  found += result.findings.length;
  const { executions, kept, blocks } = result;
  console.log(
    `${target.name}: seed ${seed}, ${Math.round(result.seconds)} s, ${executions} inputs, ${kept} kept, ${blocks} blocks, ${result.findings.length} findings`,
  );
}
await watch.close();
process.exitCode = found === 0 ? 0 : 1;

function tell({ target, execution, reason, input }: Finding): void {
  console.log(`FOUND ${target} at input ${execution}: ${reason}`);
  console.log(`  ${JSON.stringify(Buffer.from(input.subarray(0, SHOWN_BYTES)).toString('latin1'))}`);
  console.log(`  base64 ${Buffer.from(input.subarray(0, SHOWN_BYTES)).toString('base64')} (${input.length} bytes)`);
}
