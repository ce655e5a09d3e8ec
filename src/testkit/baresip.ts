import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { RunningProcess } from './child-process.ts';
import { EventLog } from './event-log.ts';
import { peer } from './peers.ts';
import { claimPorts } from './port-block.ts';
import { atEnd, type Scope } from './scope.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { mono, readWav, writeToneWav } from './wav.ts';

/** Longer than any call of a test: baresip hangs up when its microphone's file ends. */
const DEFAULT_TONE_SECONDS = 90;
const MODULE_FOLDERS = ['/usr/lib/baresip/modules', '/usr/local/lib/baresip/modules'];
const QUIT_WITHIN_MS = 1000;
const KEY_RELEASE = '\u0004';

export interface BaresipOptions {
  readonly user: string;
  readonly password?: string;
  readonly displayName?: string;
  /** HOST:PORT of the registrar. */
  readonly server: string;
  /** Domain of the address of record, when it is not the server itself. */
  readonly domain?: string;
  /** What this phone's microphone hears. */
  readonly hertz?: number;
  readonly toneSeconds?: number;
  /** Takes calls at once (default), or waits for `accept()`. */
  readonly answer?: 'auto' | 'manual';
  /** Registers and waits until it is (default), or does not wait, or does not register. */
  readonly register?: boolean | 'unawaited';
  readonly transport?: 'udp' | 'tcp';
  readonly codecs?: string;
  readonly dtmf?: 'rtpevent' | 'info';
  readonly address?: string;
  /** Where its control socket listens, when the test does not reach its own address. */
  readonly managementAddress?: string;
  /** Writes every SIP message that it sends and receives among its lines. */
  readonly trace?: boolean;
  /** A command to run it in: `['ip', 'netns', 'exec', NAME]`. */
  readonly inside?: readonly string[];
}

/** An event of the control socket. */
export interface BaresipEvent {
  readonly type: string;
  readonly direction?: string;
  readonly peeruri?: string;
  readonly id?: string;
  readonly param?: string;
  readonly [key: string]: unknown;
}

/** A real telephone: a baresip with a tone for a microphone and a file for a loudspeaker. */
export class Baresip {
  readonly events = new EventLog<BaresipEvent>();
  readonly process: RunningProcess;
  readonly #folder: string;
  readonly #control: ControlSocket;

  private constructor(process: RunningProcess, folder: string, control: ControlSocket) {
    this.process = process;
    this.#folder = folder;
    this.#control = control;
  }

  /** Starts the phone and waits until it is registered. */
  static async start(scope: Scope, options: BaresipOptions): Promise<Baresip> {
    const folder = temporaryFolder(scope, `baresip-${options.user}`);
    const { first } = await claimPorts(scope);
    const address = options.address ?? '127.0.0.1';
    const control = { port: first + 2, address: options.managementAddress ?? address };
    writeFolder(folder, { ...options, address, sipPort: first, control, rtpPort: first + 10 });
    const words = [
      ...(options.inside ?? []),
      peer('baresip').path,
      '-f',
      folder,
      ...(options.trace === true ? ['-s'] : []),
    ];
    const running = RunningProcess.start(words[0] as string, words.slice(1));
    // A phone whose server is gone takes long to give up its registration.
    atEnd(scope, async () => void (await running.end('SIGTERM', QUIT_WITHIN_MS).catch(() => undefined)));
    await running.line(/baresip is ready/);
    const phone = new Baresip(running, folder, await ControlSocket.open(control));
    atEnd(scope, () => phone.#control.close());
    phone.#control.onEvent = (event) => phone.events.push(event);
    if (options.register !== false && options.register !== 'unawaited') await phone.registered();
    return phone;
  }

  /** Waits for the answer to REGISTER. */
  async registered(): Promise<void> {
    await this.process.line(/\d{3} (?:OK|Ok).*\[\d+ binding|All \d+ useragents? registered successfully/i);
  }

  /** Starts a call; the result is seen in events. */
  async dial(uri: string): Promise<void> {
    await this.command('dial', uri);
  }

  /** Takes a ringing call. */
  async accept(): Promise<void> {
    await this.command('accept');
  }

  /** Ends the call; a ringing incoming one is refused with 486, a ringing outgoing one is canceled. */
  async hangup(): Promise<void> {
    await this.command('hangup');
  }

  /** Presses and releases keys, one after the other, as telephone events. */
  async press(keys: string): Promise<void> {
    for (const key of keys) {
      await this.command('sndcode', key);
      await this.command('sndcode', KEY_RELEASE);
    }
  }

  /** Unregisters and ends. */
  async quit(): Promise<void> {
    await this.process.end('SIGTERM');
  }

  async command(command: string, params = ''): Promise<string> {
    return this.#control.command(command, params);
  }

  /** The next event of a type, from a mark on. */
  event(type: string, options: { readonly from?: number; readonly withinMs?: number } = {}): Promise<BaresipEvent> {
    return this.events.waitFor((event) => event.type === type, { what: `${type} at the phone`, ...options });
  }

  /** Keys that the phone was sent in telephone events. */
  get heardDigits(): string {
    return this.process.stdout.all
      .concat(this.process.stderr.all)
      .flatMap((line) => /received event: '(.)' \(end=1\)/.exec(line)?.[1] ?? [])
      .join('');
  }

  /** What the loudspeaker played in the latest call that is over. */
  heard(): Float64Array {
    return mono(readWav(join(this.#dumpFolder, this.#dumps('dec').at(-1) ?? 'no-recording')));
  }

  get #dumpFolder(): string {
    return join(this.#folder, 'dump');
  }

  #dumps(kind: 'dec' | 'enc'): readonly string[] {
    return readdirSync(this.#dumpFolder)
      .filter((name) => name.endsWith(`-${kind}.wav`))
      .sort();
  }
}

interface FolderOptions extends BaresipOptions {
  readonly address: string;
  readonly sipPort: number;
  readonly control: { readonly address: string; readonly port: number };
  readonly rtpPort: number;
}

function writeFolder(folder: string, options: FolderOptions): void {
  const { user, password = 'secret', server, transport = 'udp', answer = 'auto', codecs = 'PCMU,PCMA' } = options;
  mkdirSync(join(folder, 'dump'));
  const tone = join(folder, 'tone.wav');
  writeToneWav(tone, { hertz: options.hertz ?? 400, seconds: options.toneSeconds ?? DEFAULT_TONE_SECONDS });
  writeFileSync(join(folder, 'contacts'), '');
  const name = options.displayName === undefined ? '' : `"${options.displayName}" `;
  const account = [
    `${name}<sip:${user}@${options.domain ?? server};transport=${transport}>`,
    ...(options.domain === undefined ? [] : [`outbound="sip:${server};transport=${transport}"`]),
    `auth_user=${user}`,
    `auth_pass=${password}`,
    `answermode=${answer}`,
    `regint=${options.register === false ? 0 : 60}`,
    `audio_codecs=${codecs}`,
    `dtmfmode=${options.dtmf ?? 'rtpevent'}`,
  ];
  writeFileSync(join(folder, 'accounts'), `${account.join(';')}\n`);
  writeFileSync(join(folder, 'config'), configText(folder, tone, options));
}

function configText(folder: string, tone: string, options: FolderOptions): string {
  return `poll_method epoll
sip_listen ${options.address}:${options.sipPort}
net_interface ${options.address}
audio_source aufile,${tone}
audio_player aubridge,dev0
ausrc_srate 8000
auplay_srate 8000
ausrc_channels 1
auplay_channels 1
rtp_ports ${options.rtpPort}-${options.rtpPort + 100}
jitter_buffer_delay 2-4
module_path ${moduleFolder()}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
snd_path ${join(folder, 'dump')}
module_tmp uuid.so
module_tmp account.so
module_app contact.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen ${options.control.address}:${options.control.port}
`;
}

function moduleFolder(): string {
  const beside = join(dirname(peer('baresip').path), '../lib/baresip/modules');
  return [beside, ...MODULE_FOLDERS].find((folder) => isFolder(folder)) ?? beside;
}

function isFolder(path: string): boolean {
  try {
    return readdirSync(path).length > 0;
  } catch {
    return false;
  }
}

/** Netstrings of JSON both ways: `LENGTH:{...},`. */
class ControlSocket {
  onEvent: (event: BaresipEvent) => void = () => undefined;
  readonly #socket: Socket;
  readonly #answers = new Map<string, (answer: { readonly ok: boolean; readonly data: string }) => void>();
  #received = Buffer.alloc(0);
  #tokens = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => undefined);
  }

  static async open(
    at: { readonly address: string; readonly port: number },
    _inside?: readonly string[],
  ): Promise<ControlSocket> {
    const socket = connect(at.port, at.address);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new ControlSocket(socket);
  }

  async command(command: string, params: string): Promise<string> {
    const token = `t${(this.#tokens += 1)}`;
    const text = JSON.stringify({ command, params, token });
    const { promise, resolve } = Promise.withResolvers<{ readonly ok: boolean; readonly data: string }>();
    this.#answers.set(token, resolve);
    this.#socket.write(`${Buffer.byteLength(text)}:${text},`);
    const answer = await Promise.race([promise, this.#silence(command)]);
    this.#answers.delete(token);
    if (!answer.ok) throw new Error(`baresip refuses "${command} ${params}": ${answer.data}`);
    return answer.data;
  }

  close(): void {
    this.#socket.destroy();
  }

  #silence(command: string): Promise<never> {
    return new Promise((_, reject) => {
      setTimeout(() => reject(new Error(`baresip does not answer "${command}"`)), 5000).unref();
    });
  }

  #receive(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const colon = this.#received.indexOf(':');
      if (colon < 0) return;
      const length = Number(this.#received.toString('latin1', 0, colon));
      if (this.#received.length < colon + length + 2) return;
      const text = this.#received.toString('utf8', colon + 1, colon + 1 + length);
      this.#received = this.#received.subarray(colon + length + 2);
      this.#take(JSON.parse(text) as BaresipEvent & { token?: string; ok?: boolean; data?: string });
    }
  }

  #take(message: BaresipEvent & { token?: string; ok?: boolean; data?: string }): void {
    if (message['event'] === true) this.onEvent(message);
    else this.#answers.get(message.token ?? '')?.({ ok: message.ok === true, data: message.data ?? '' });
  }
}
