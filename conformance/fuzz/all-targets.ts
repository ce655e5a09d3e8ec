import type { FuzzTarget } from './fuzz-target.ts';

/** Everything that reads what strangers send. Loaded one by one: the counters of coverage cost time for every file that is there. */
export const TARGETS = {
  'sip-datagram': async () => (await import('./targets/sip.ts')).sipDatagram,
  'sip-stream': async () => (await import('./targets/sip.ts')).sipStream,
  'sip-values': async () => (await import('./targets/sip.ts')).sipValues,
  sdp: async () => (await import('./targets/media.ts')).sdp,
  rtp: async () => (await import('./targets/media.ts')).rtp,
  twiml: async () => (await import('./targets/documents.ts')).twiml,
  wav: async () => (await import('./targets/sound.ts')).wavFile,
  mp3: async () => (await import('./targets/sound.ts')).mp3File,
  form: async () => (await import('./targets/form.ts')).formFields,
  api: async () => (await import('./targets/api.ts')).apiDoor,
  control: async () => (await import('./targets/control.ts')).controlDoor,
  config: async () => (await import('./targets/config.ts')).configuration,
  signalling: async () => (await import('./targets/webphone.ts')).signalling,
  token: async () => (await import('./targets/webphone.ts')).token,
  script: async () => (await import('./targets/documents.ts')).script,
} as const satisfies Readonly<Record<string, () => Promise<FuzzTarget>>>;

export type TargetName = keyof typeof TARGETS;

export const TARGET_NAMES = Object.keys(TARGETS) as readonly TargetName[];
