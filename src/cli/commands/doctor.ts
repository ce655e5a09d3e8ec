import type { Command } from 'commander';
import { withServerOptions } from '../server-options.ts';
import type { ServerOptions } from '../server-client.ts';

const MARKS = { ok: ' ok ', warning: 'warn', error: 'FAIL' } as const;

/** `tandem doctor`: what stands in the way of a call, here or on the running server. Exit code 1 when something does. */
export function addDoctorCommand(program: Command): void {
  withServerOptions(
    program
      .command('doctor')
      .description('check ports, firewall, speech, clock, and where apps would send their requests'),
  ).action(async (options: ServerOptions & { json?: boolean }) => {
    const { examine } = await import('../../server/doctor.ts');
    const findings = await examine({ data: options.data, environment: process.env });
    if (options.json === true) process.stdout.write(`${JSON.stringify({ findings })}\n`);
    else
      for (const { level, subject, text } of findings) process.stdout.write(`[${MARKS[level]}] ${subject}: ${text}\n`);
    if (findings.some((finding) => finding.level === 'error')) process.exitCode = 1;
  });
}
