import { errorText } from '../../base/errors.ts';
import { CliError } from '../cli-error.ts';
import { browserStoreSteps, systemStoreSteps } from './certificate-stores.ts';
import { hostsFileSteps } from './hosts-file.ts';
import type { Machine } from './machine.ts';
import type { Step } from './step.ts';

export const PARTS = ['ca', 'hosts'] as const;
export type Part = (typeof PARTS)[number];

/** What this machine shall know of a place. */
export interface Wanted {
  /** PEM of the place's authority; absent where the operator has a certificate of its own. */
  readonly authority?: string;
  /** Where the vendor's hosts shall be. */
  readonly address: string;
  readonly hosts: readonly string[];
}

/** What is to be done so that this machine knows the place, or with `undefined` forgets it. */
export async function installation(
  machine: Machine,
  wanted: Wanted | undefined,
  parts: readonly Part[] = PARTS,
): Promise<readonly Step[]> {
  const steps: Step[] = [];
  if (parts.includes('ca')) {
    if (wanted !== undefined && wanted.authority === undefined) {
      steps.push({ kind: 'note', text: 'the server has a certificate of its operator: trust whoever signed it' });
    } else {
      steps.push(...systemStoreSteps(machine, wanted?.authority));
      steps.push(...(await browserStoreSteps(machine, wanted?.authority)));
    }
  }
  if (parts.includes('hosts')) {
    const names = wanted === undefined ? undefined : { address: wanted.address, names: wanted.hosts };
    steps.push(...(await hostsFileSteps(machine, names)));
  }
  return steps;
}

export interface Outcome {
  readonly outcome: 'done' | 'was so' | 'would be done' | 'note';
  readonly text: string;
}

/** Does the steps in their order; the first that fails ends it, and its message says what to do. */
export async function carryOut(steps: readonly Step[], options: { readonly dryRun: boolean }): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const step of steps) {
    if (step.kind === 'note') outcomes.push({ outcome: 'note', text: step.text });
    else if (options.dryRun) outcomes.push({ outcome: 'would be done', text: step.text });
    else outcomes.push({ outcome: (await attempt(step)) ? 'done' : 'was so', text: step.text });
  }
  return outcomes;
}

async function attempt(step: Extract<Step, { kind: 'work' }>): Promise<boolean> {
  try {
    return await step.run();
  } catch (error) {
    const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
    const advice = code === 'EACCES' || code === 'EPERM' ? '; only root may: put sudo before it, with --data DIR' : '';
    throw new CliError(`could not ${step.text}: ${errorText(error)}${advice}`);
  }
}
