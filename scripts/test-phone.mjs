// A real telephone for the tarball's own test, in plain JavaScript: a baresip that takes every call and records what it hears.
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const SAMPLE_RATE = 8000;
/** Longer than any call of it: the phone hangs up when its microphone's file ends. */
const MICROPHONE_SECONDS = 60;
const MICROPHONE_HERTZ = 400;
const RTP_PORTS = 100;
const READY_BOUND_MS = 20_000;
const END_BOUND_MS = 8_000;
const POLL_MS = 100;

/**
 * Starts the phone and waits until it is registered: `{ heard(), stop() }`. `server` is HOST:PORT, `folder` an empty
 * folder of the phone's own, `executable` the path of baresip.
 */
export async function startTestPhone({ executable, folder, user, password, server }) {
  const sipPort = await freePort();
  const dumps = join(folder, 'dump');
  mkdirSync(dumps, { recursive: true });
  writeFileSync(join(folder, 'microphone.wav'), tone());
  writeFileSync(join(folder, 'contacts'), '');
  writeFileSync(
    join(folder, 'accounts'),
    `<sip:${user}@${server};transport=udp>;auth_user=${user};auth_pass=${password};answermode=auto;regint=60;audio_codecs=PCMU,PCMA\n`,
  );
  writeFileSync(join(folder, 'config'), configText({ executable, folder, dumps, sipPort }));

  const child = spawn(executable, ['-f', folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.once('error', (error) => (said += `${error.message}\n`));

  const stop = async () => {
    child.kill('SIGTERM');
    await Promise.race([ended, sleep(END_BOUND_MS, undefined, { ref: false })]);
    child.kill('SIGKILL');
  };
  const registered = /\b200 OK\b.*\[\d+ binding|registered successfully/i;
  for (let waited = 0; !registered.test(said); waited += POLL_MS) {
    if (waited >= READY_BOUND_MS || child.exitCode !== null) {
      await stop();
      throw new Error(`the phone did not register within ${READY_BOUND_MS / 1000} s; it said:\n${said}`);
    }
    await sleep(POLL_MS);
  }
  return { stop, heard: () => heard(dumps) };
}

/** `{ seconds, loudness }` of what the loudspeaker played in the latest call that is over; loudness is the RMS from 0 to 1. */
function heard(dumps) {
  const latest = readdirSync(dumps)
    .filter((name) => name.endsWith('-dec.wav'))
    .sort()
    .at(-1);
  if (latest === undefined) throw new Error('the phone recorded nothing');
  const bytes = readFileSync(join(dumps, latest));
  // 16-bit PCM in one channel; a size beyond the end belongs to a writer that was streaming.
  const at = bytes.indexOf('data', 12, 'latin1') + 8;
  const samples = (Math.min(bytes.length, at + bytes.readUInt32LE(at - 4)) - at) >> 1;
  let squares = 0;
  for (let i = 0; i < samples; i++) squares += (bytes.readInt16LE(at + 2 * i) / 32_768) ** 2;
  return { seconds: samples / SAMPLE_RATE, loudness: Math.sqrt(squares / Math.max(1, samples)) };
}

function configText({ executable, folder, dumps, sipPort }) {
  const beside = join(dirname(executable), '../lib/baresip/modules');
  return `poll_method epoll
sip_listen 127.0.0.1:${sipPort}
net_interface 127.0.0.1
audio_source aufile,${join(folder, 'microphone.wav')}
audio_player aubridge,dev0
ausrc_srate ${SAMPLE_RATE}
auplay_srate ${SAMPLE_RATE}
ausrc_channels 1
auplay_channels 1
rtp_ports ${sipPort + 2}-${sipPort + 2 + RTP_PORTS}
jitter_buffer_delay 2-4
module_path ${beside}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
snd_path ${dumps}
module_tmp uuid.so
module_tmp account.so
module_app contact.so
module_app menu.so
`;
}

/** An even port that was free a moment ago, with room for the media ports behind it. */
async function freePort() {
  for (;;) {
    const socket = createSocket('udp4');
    await new Promise((resolve, reject) => socket.once('error', reject).bind(0, '127.0.0.1', resolve));
    const { port } = socket.address();
    await new Promise((resolve) => socket.close(resolve));
    if (port % 2 === 0 && port + 2 + RTP_PORTS < 65_536) return port;
  }
}

function tone() {
  const samples = SAMPLE_RATE * MICROPHONE_SECONDS;
  const wav = Buffer.alloc(44 + 2 * samples);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + 2 * samples, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(SAMPLE_RATE, 24);
  wav.writeUInt32LE(2 * SAMPLE_RATE, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(2 * samples, 40);
  for (let i = 0; i < samples; i++) {
    wav.writeInt16LE(Math.round(8000 * Math.sin((2 * Math.PI * MICROPHONE_HERTZ * i) / SAMPLE_RATE)), 44 + 2 * i);
  }
  return wav;
}
