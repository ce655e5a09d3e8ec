import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { AudioSender } from './audio-sender.ts';
import type { PacketPort } from './packet-port.ts';
import type { Reception } from './reception.ts';

export interface LegRtcpOptions {
  readonly port: PacketPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly sender: AudioSender;
  readonly reception: Reception;
}
export class LegRtcp {
  constructor(_options: LegRtcpOptions) {}
  tick(_nowMs: number): void {}
  receive(_packet: Uint8Array): void {}
  bye(): void {}
}
