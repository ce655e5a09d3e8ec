/**
 * Main module of a media process: all legs that hear each other, with their sockets and their beat. Its owner speaks to
 * it over the channel of `child_process.fork`, and it dies with its owner.
 */
import { after, systemClock } from '../base/clock.ts';
import { openInProcessMediaNode } from './in-process-node.ts';
import { LOAD_REPORT_MS, type NodeCommand } from './node-protocol.ts';
import { NodeServer } from './node-server.ts';
import { LoopOccupancy } from './occupancy.ts';
import { raiseSoundPriority } from './sound-priority.ts';
import { loadWebRtcLibrary } from './webrtc-library.ts';

raiseSoundPriority(process.pid);
const server = new NodeServer({
  open: (options) =>
    openInProcessMediaNode({ ...options, occupancy: new LoopOccupancy(), loadWebRtc: loadWebRtcLibrary }),
  send: (report) => process.send?.(report, undefined, undefined, () => undefined),
});

// The commands come from our own parent, over a private pipe: their types hold.
process.on('message', (command) => server.obey(command as NodeCommand));
process.on('disconnect', () => process.exit(0));
// Whoever ends programs by the dozen sends these, too; calls are drained by the owner, which then ends this process.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

function report(): void {
  server.reportLoad();
  after(systemClock, LOAD_REPORT_MS, report);
}
report();
