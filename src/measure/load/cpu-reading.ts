import type { Clock } from '../../base/clock.ts';
import { machineCpuSeconds, processCpuSeconds } from './process-cpu.ts';

const US_PER_SECOND = 1e6;

/** CPU seconds used until then, by this program and, where the server is on this machine, by the server and all programs. */
export interface CpuReading {
  readonly atMs: number;
  readonly own: number;
  readonly server?: number;
  readonly machine?: number;
}

/** `pid` is the server's; undefined where it is not on this machine. */
export function readCpu(clock: Clock, pid: number | undefined): CpuReading {
  const { user, system } = process.cpuUsage();
  const server = pid === undefined ? undefined : processCpuSeconds(pid);
  const machine = server === undefined ? undefined : machineCpuSeconds();
  return {
    atMs: clock.now(),
    own: (user + system) / US_PER_SECOND,
    ...(server !== undefined && { server }),
    ...(machine !== undefined && { machine }),
  };
}
