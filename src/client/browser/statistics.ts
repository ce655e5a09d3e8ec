import type { SoundStatistics } from '../ports.ts';

/** Packets of a connection so far. */
export async function statisticsOf(connection: RTCPeerConnection): Promise<SoundStatistics> {
  const report = await connection.getStats();
  const found = { packetsSent: 0, packetsReceived: 0, packetsLost: 0 };
  report.forEach((each: Readonly<Record<string, unknown>>) => {
    if (each['type'] === 'outbound-rtp') found.packetsSent += count(each['packetsSent']);
    if (each['type'] !== 'inbound-rtp') return;
    found.packetsReceived += count(each['packetsReceived']);
    found.packetsLost += count(each['packetsLost']);
  });
  return found;
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
