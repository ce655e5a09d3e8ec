import type { Page } from 'playwright-core';

export interface PhoneEvent {
  /** `device` or `call`. */
  readonly of: string;
  readonly name: string;
  /** Code of an error, text of a message, name of a state. */
  readonly detail: string | number | null;
}

/** A WebRTC connection of the page that is open. */
export interface PageConnection {
  readonly sent: number;
  readonly received: number;
  /** Addresses of the pair that ICE has chosen. */
  readonly local: string;
  readonly remote: string;
}

const POLL_MS = 100;
const EVENT_WITHIN_MS = 20_000;

/** A page with a browser phone, and the few lines that an application puts around it. */
export class PhonePage {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** `script` defines `voice.device(token, options)`, which makes the Device. */
  static async open(page: Page, script: string): Promise<PhonePage> {
    await page.evaluate(SCRIPT);
    await page.evaluate(`${script}; undefined`);
    return new PhonePage(page);
  }

  /** Makes the Device; `options` are its own. */
  async device(token: string, options: object = {}): Promise<void> {
    await this.page.evaluate(`voice.device(${JSON.stringify(token)}, ${JSON.stringify(options)})`);
  }

  run(script: string): Promise<unknown> {
    return this.page.evaluate(script);
  }

  async register(): Promise<void> {
    await this.page.evaluate('voice.device_.register()');
    await this.event('device', 'registered');
  }

  /** `options` are further ones of the phone's `connect`. */
  async call(parameters: Readonly<Record<string, string>>, options: object = {}): Promise<void> {
    await this.page.evaluate(`voice.connect(${JSON.stringify(parameters)}, ${JSON.stringify(options)})`);
  }

  events(): Promise<readonly PhoneEvent[]> {
    return this.page.evaluate('voice.events');
  }

  /** The next event of that name since the last one waited for. */
  async event(of: string, name: string, withinMs = EVENT_WITHIN_MS): Promise<PhoneEvent> {
    try {
      await this.page.waitForFunction(`voice.has(${JSON.stringify(of)}, ${JSON.stringify(name)})`, undefined, {
        polling: POLL_MS,
        timeout: withinMs,
      });
    } catch (error) {
      throw new Error(`no ${of} ${name}; there was ${JSON.stringify(await this.events())}`, { cause: error });
    }
    return this.page.evaluate(`voice.take(${JSON.stringify(of)}, ${JSON.stringify(name)})`);
  }

  /** As a network that goes away; the page may connect again. */
  async cutSockets(): Promise<void> {
    await this.page.evaluate('for (const socket of voice.sockets.splice(0)) socket.close()');
  }

  /** Its open WebRTC connections that were described, oldest first. */
  connections(): Promise<readonly PageConnection[]> {
    return this.page.evaluate('voice.describeConnections()');
  }

  /** Shares of the heard sound's power at these frequencies, over about a second. */
  hears(hertz: readonly number[]): Promise<readonly number[]> {
    return this.page.evaluate(`voice.hears(${JSON.stringify(hertz)})`);
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

/** Runs in the page, as it stands. */
const SCRIPT = `
window.WebSocket = class extends WebSocket {
  constructor(...options) {
    super(...options);
    voice.sockets.push(this);
  }
};
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...options) {
    super(...options);
    voice.everyConnection.push(this);
  }
};
window.voice = {
  events: [],
  everyConnection: [],
  get connections() {
    return voice.everyConnection.filter((each) => each.connectionState === 'connected');
  },
  async describeConnections() {
    return Promise.all(voice.connections.map(async (connection) => {
      const all = [...(await connection.getStats()).values()];
      const of = (type) => all.find((each) => each.type === type) ?? {};
      // Several pairs may have been nominated, one after another; the transport says which is in use.
      const pair = all.find((each) => each.id === of('transport').selectedCandidatePairId) ?? {};
      const address = (id) => all.filter((each) => each.id === id).map((each) => each.address + ':' + each.port)[0] ?? '';
      return {
        sent: of('outbound-rtp').packetsSent ?? 0,
        received: of('inbound-rtp').packetsReceived ?? 0,
        local: address(pair.localCandidateId),
        remote: address(pair.remoteCandidateId),
      };
    }));
  },
  sockets: [],
  note(of, name, detail) {
    const plain = typeof detail === 'string' || typeof detail === 'number' ? detail : null;
    voice.events.push({ of, name, detail: plain, taken: false });
  },
  has: (of, name) => voice.events.some((each) => each.of === of && each.name === name && !each.taken),
  take(of, name) {
    const found = voice.events.find((each) => each.of === of && each.name === name && !each.taken);
    found.taken = true;
    return found;
  },
  listen(device) {
    voice.device_ = device;
    for (const name of ['registering', 'registered', 'unregistered', 'tokenWillExpire', 'destroyed']) {
      device.on(name, () => voice.note('device', name));
    }
    device.on('error', (error) => voice.note('device', 'error', error.code));
    device.on('incoming', (call) => { voice.follow(call); voice.note('device', 'incoming', call.parameters.From); });
  },
  follow(call) {
    voice.call_ = call;
    for (const name of ['accept', 'cancel', 'disconnect', 'reject', 'mute', 'reconnecting', 'reconnected']) {
      call.on(name, () => voice.note('call', name));
    }
    call.on('route', (route) => voice.note('call', 'route', route));
    call.on('ringing', (early) => voice.note('call', 'ringing', String(early)));
    call.on('error', (error) => { voice.lastError = error.message; voice.note('call', 'error', error.code); });
    call.on('messageReceived', (message) => voice.note('call', 'messageReceived', JSON.stringify(message.content)));
    call.on('messageSent', (message) => voice.note('call', 'messageSent', message.voiceEventSid));
  },
  async connect(params, options) {
    voice.follow(await voice.device_.connect({ params, ...options }));
  },
  async hears(hertz) {
    const context = voice.context ??= new AudioContext({ sampleRate: 8000 });
    await context.resume();
    const source = context.createMediaStreamSource(voice.call_.getRemoteStream());
    const analyser = new AnalyserNode(context, { fftSize: 4096, smoothingTimeConstant: 0 });
    source.connect(analyser);
    await new Promise((resolve) => setTimeout(resolve, 900));
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    source.disconnect();
    const power = [...bins].map((decibel) => 10 ** (decibel / 10));
    const whole = power.reduce((sum, each) => sum + each, 0) || 1;
    const width = 8000 / 4096;
    return hertz.map((each) => {
      const at = Math.round(each / width);
      return power.slice(at - 6, at + 7).reduce((sum, bin) => sum + bin, 0) / whole;
    });
  },
};
`;
