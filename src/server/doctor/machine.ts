import { createSocket } from 'node:dgram';
import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { UDP_RECEIVE_BUFFER_BYTES } from '../../sip/node-network.ts';
import { ok, failure, warning, type Finding } from './finding.ts';

const NODE_MAJOR = 26;
/** Two sockets a leg, 400 legs a media process, and what the process needs beside. */
const WANTED_OPEN_FILES = 1024;
const MAX_PROCESSES_LOOKED_AT = 10_000;

export function nodeFinding(version = process.versions.node): Finding {
  const major = Number(version.split('.')[0]);
  if (major === NODE_MAJOR) return ok('node', version);
  const text = `runs on Node ${version}, and was written for ${NODE_MAJOR}: start it with the tandem command, which brings its own`;
  return major < NODE_MAJOR ? failure('node', text) : warning('node', text);
}

/** Media processes inherit the limit. `limits` is the text of /proc/self/limits. */
export async function openFilesFinding(limits?: string): Promise<Finding> {
  const text = limits ?? (await readFile('/proc/self/limits', 'utf8').catch(() => ''));
  const soft = /^Max open files\s+(\d+|unlimited)/m.exec(text)?.[1];
  if (soft === undefined) return ok('open files', 'this system does not tell its limit');
  if (soft === 'unlimited' || Number(soft) >= WANTED_OPEN_FILES) return ok('open files', `limit ${soft}`);
  return warning(
    'open files',
    `limit ${soft}: a media process with 400 legs needs ${WANTED_OPEN_FILES}; ulimit -n 4096, or LimitNOFILE=4096 in the unit`,
  );
}

/** A burst of packets that finds no room is lost without a trace. */
export async function receiveBufferFinding(wanted = UDP_RECEIVE_BUFFER_BYTES): Promise<Finding> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: wanted });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(0, '127.0.0.1', resolve);
    });
    // Linux doubles what it grants, for its own use (socket(7)).
    const granted = socket.getRecvBufferSize() / (process.platform === 'linux' ? 2 : 1);
    return receiveBufferOf(granted, wanted);
  } finally {
    socket.close();
  }
}

function receiveBufferOf(got: number, wanted: number): Finding {
  if (got >= wanted) return ok('UDP buffers', `${wanted} bytes are granted`);
  return warning('UDP buffers', `got ${got} bytes, want ${wanted}: sysctl -w net.core.rmem_max=${wanted}`);
}

export function processorsFinding(mediaProcesses: number | undefined, processors = availableParallelism()): Finding {
  if (mediaProcesses === undefined || mediaProcesses <= processors) return ok('processors', String(processors));
  const text = `${mediaProcesses} media processes on ${processors} processors get in each other's way: lower mediaProcesses`;
  return warning('processors', text);
}

/** Media processes end with their server; one whose parent is the system hangs, and holds ports. */
export async function leftoversFinding(processFolder = '/proc'): Promise<Finding> {
  const names = (await readdir(processFolder).catch(() => [])).filter((name) => /^\d+$/.test(name));
  const left: string[] = [];
  for (const pid of names.slice(0, MAX_PROCESSES_LOOKED_AT)) {
    const command = await readFile(`${processFolder}/${pid}/cmdline`, 'latin1').catch(() => '');
    if (!/\bmedia-process\.[tj]s\0/.test(command)) continue;
    const status = await readFile(`${processFolder}/${pid}/status`, 'latin1').catch(() => '');
    if (/^PPid:\s+1$/m.test(status)) left.push(pid);
  }
  if (left.length === 0) return ok('leftovers', 'no process of an earlier run');
  return warning('leftovers', `media processes of an earlier run are still there: kill ${left.join(' ')}`);
}
