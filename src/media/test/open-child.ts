import { claimPorts } from '../../testkit/port-block.ts';
import type { Scope } from '../../testkit/scope.ts';
import { openMediaNode, type ChildMediaNode } from '../child-node.ts';
import type { MediaWorldOptions } from './compliance-world.ts';

/** Tests share the machine: here nobody is refused for its lateness. */
export const PATIENT = { maxLatenessMs: 1_000, maxBusy: 1 };

/** A media process with ports of its own, closed with the scope. */
export async function openChild(
  scope: Scope,
  { portPairs, ...limits }: MediaWorldOptions = {},
): Promise<ChildMediaNode> {
  const { first, count } = await claimPorts(scope);
  const ports = portPairs === undefined ? count : 2 * portPairs;
  const node = await openMediaNode({ ...PATIENT, ...limits, portRange: { low: first, high: first + ports - 1 } });
  scope.after(() => node.close());
  return node;
}
