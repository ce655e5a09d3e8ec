// `npm start` in a set-up clone: time to the ready line, memory when idle. node bench/start-up.ts [runs]
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory } from './process-cost.ts';

const RUNS = Number(process.argv[2] ?? 5);
const IDLE_MS = 5000;
const ROOT = join(import.meta.dirname, '..');

interface Start {
  readonly readyMs: number;
  readonly residentMiB: number;
  readonly proportionalMiB: number;
}

async function start(data: string): Promise<Start> {
  const began = performance.now();
  const flags = ['--json', '--data', data, '--http', '127.0.0.1:0', '--sip', '127.0.0.1:0'];
  const child = spawn('npm', ['start', '--silent', '--', ...flags], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('\n')) resolve(output.split('\n')[0] ?? '');
    });
    child.once('exit', (code) => reject(new Error(`npm start ended with ${code}`)));
  });
  const readyMs = performance.now() - began;
  const { pid } = JSON.parse(line) as { pid: number };
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const used = memory(pid);
  const gone = new Promise((resolve) => child.once('exit', resolve));
  process.kill(pid, 'SIGTERM');
  await gone;
  return { readyMs, ...used };
}

const data = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
try {
  const runs: Start[] = [];
  for (let run = 0; run <= RUNS; run += 1) {
    const result = await start(data);
    // The first run makes the data folder and the compile cache.
    if (run > 0) runs.push(result);
    console.log(
      `${run === 0 ? 'first' : `run ${run}`}: ready in ${result.readyMs.toFixed(0)} ms, idle ${result.residentMiB.toFixed(0)} MiB resident, ` +
        `${result.proportionalMiB.toFixed(0)} MiB with shared pages counted once`,
    );
  }
  const sorted = runs.map((run) => run.readyMs).sort((a, b) => a - b);
  console.log(`median ${(sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(0)} ms of ${runs.length}`);
} finally {
  rmSync(data, { recursive: true, force: true });
}
