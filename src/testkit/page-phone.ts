import type { Page } from 'playwright-core';

export interface PagePhoneStatistics {
  readonly packetsReceived: number;
  readonly packetsLost: number;
  readonly concealedSamples: number;
  readonly silentConcealedSamples: number;
  readonly packetsSent: number;
  /** From our receiver reports, in seconds; undefined before the first. */
  readonly roundTripTime?: number;
  readonly remoteJitter?: number;
  readonly remotePacketsLost?: number;
}

/**
 * A phone in a page, of nothing but the browser's own WebRTC and Web Audio: says a tone and hears at 8 kHz.
 * Signalling is the test's matter.
 */
export class PagePhone {
  readonly #page: Page;

  private constructor(page: Page) {
    this.#page = page;
  }

  /** `hertz`: what it says. */
  static async open(page: Page, hertz: number): Promise<PagePhone> {
    await page.evaluate(SCRIPT);
    await page.evaluate(`phone.open(${hertz})`);
    return new PagePhone(page);
  }

  /** Without candidates unless `complete`, as the Voice SDK sends it. */
  offer(options: { readonly iceRestart?: boolean; readonly complete?: boolean } = {}): Promise<string> {
    return this.#call('offer', options);
  }

  async accept(answer: string): Promise<void> {
    await this.#call('accept', answer);
  }

  answer(offer: string): Promise<string> {
    return this.#call('answer', offer);
  }

  /** Resolves when ICE and DTLS are up; milliseconds since the description that began it. */
  connected(): Promise<number> {
    return this.#call('connected');
  }

  state(): Promise<string> {
    return this.#call('state');
  }

  /** RFC 4733, by the browser's own sender. */
  async press(keys: string): Promise<void> {
    await this.#call('press', keys);
  }

  /** `sendonly` holds, `sendrecv` takes back: with the next offer. */
  async setDirection(direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'): Promise<void> {
    await this.#call('setDirection', direction);
  }

  /** Forgets what was heard so far. */
  async listen(): Promise<void> {
    await this.#call('listen');
  }

  /** What was heard since `listen`, at 8 kHz. */
  async heard(): Promise<Float64Array> {
    return Float64Array.from(await this.#call<number[]>('heard'));
  }

  statistics(): Promise<PagePhoneStatistics> {
    return this.#call('statistics');
  }

  async close(): Promise<void> {
    await this.#call('close');
  }

  #call<T>(method: string, argument?: unknown): Promise<T> {
    return this.#page.evaluate(`phone.${method}(${argument === undefined ? '' : JSON.stringify(argument)})`);
  }
}

/** Runs in the page, as it stands. */
const SCRIPT = `
const TAP = 'registerProcessor("tap", class extends AudioWorkletProcessor {' +
  'process([[samples]]) { if (samples) this.port.postMessage(samples.slice()); return true; } })';
globalThis.phone = {
  chunks: [],
  async open(hertz) {
    this.audio = new AudioContext({ sampleRate: 8000 });
    await this.audio.audioWorklet.addModule(URL.createObjectURL(new Blob([TAP], { type: 'text/javascript' })));
    const tone = new OscillatorNode(this.audio, { frequency: hertz });
    const voice = this.audio.createMediaStreamDestination();
    tone.connect(new GainNode(this.audio, { gain: 0.4 })).connect(voice);
    tone.start();
    this.connection = new RTCPeerConnection();
    this.connection.addTrack(voice.stream.getAudioTracks()[0], voice.stream);
    this.connection.ontrack = ({ streams, track }) => this.hear(streams[0] ?? new MediaStream([track]));
  },
  hear(stream) {
    // Chromium feeds Web Audio from a remote stream only while an element plays it.
    this.element = Object.assign(new Audio(), { srcObject: stream, muted: true });
    void this.element.play();
    // Told again after a hold.
    if (this.tap) this.tap.port.onmessage = null;
    this.tap = new AudioWorkletNode(this.audio, 'tap');
    this.tap.port.onmessage = ({ data }) => this.chunks.push(data);
    this.audio.createMediaStreamSource(stream).connect(this.tap);
  },
  async gathered() {
    if (this.connection.iceGatheringState === 'complete') return;
    await new Promise((resolve) => {
      this.connection.addEventListener('icegatheringstatechange', () => {
        if (this.connection.iceGatheringState === 'complete') resolve();
      });
    });
  },
  async offer({ iceRestart = false, complete = false }) {
    const offer = await this.connection.createOffer({ iceRestart });
    await this.connection.setLocalDescription(offer);
    if (complete) await this.gathered();
    this.began = performance.now();
    return complete ? this.connection.localDescription.sdp : offer.sdp;
  },
  accept(sdp) {
    return this.connection.setRemoteDescription({ type: 'answer', sdp });
  },
  async answer(sdp) {
    this.began = performance.now();
    await this.connection.setRemoteDescription({ type: 'offer', sdp });
    const answer = await this.connection.createAnswer();
    await this.connection.setLocalDescription(answer);
    return answer.sdp;
  },
  async connected() {
    const { connection } = this;
    await new Promise((resolve, reject) => {
      const look = () => {
        if (connection.connectionState === 'connected') resolve();
        if (connection.connectionState === 'failed') reject(new Error('the connection failed'));
      };
      connection.addEventListener('connectionstatechange', look);
      look();
    });
    return performance.now() - this.began;
  },
  state() {
    return this.connection.connectionState;
  },
  async press(keys) {
    const { dtmf } = this.connection.getSenders()[0];
    const done = new Promise((resolve) => {
      dtmf.ontonechange = ({ tone }) => tone === '' && resolve();
    });
    dtmf.insertDTMF(keys, 120, 80);
    await done;
  },
  setDirection(direction) {
    this.connection.getTransceivers()[0].direction = direction;
  },
  listen() {
    this.chunks.length = 0;
  },
  heard() {
    return this.chunks.flatMap((chunk) => Array.from(chunk, (sample) => Math.round(sample * 1e5) / 1e5));
  },
  async statistics() {
    const all = [...(await this.connection.getStats()).values()];
    const of = (type) => all.find((each) => each.type === type) ?? {};
    const [inbound, outbound, remote] = [of('inbound-rtp'), of('outbound-rtp'), of('remote-inbound-rtp')];
    return {
      packetsReceived: inbound.packetsReceived ?? 0,
      packetsLost: inbound.packetsLost ?? 0,
      concealedSamples: inbound.concealedSamples ?? 0,
      silentConcealedSamples: inbound.silentConcealedSamples ?? 0,
      packetsSent: outbound.packetsSent ?? 0,
      roundTripTime: remote.roundTripTime,
      remoteJitter: remote.jitter,
      remotePacketsLost: remote.packetsLost,
    };
  },
  close() {
    this.connection.close();
    return this.audio.close();
  },
};
undefined;
`;
