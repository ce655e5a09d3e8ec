import type { Locator, Page } from 'playwright-core';
import type { Chromium } from './chromium.ts';
import { resample } from './sound-measure.ts';

const SAMPLE_RATE = 8000;
const SAID_CHARS = 1500;
const WITHIN_MS = 40_000;

/** The server's own page in a browser, as a person uses it; what it plays is heard on the way to the loudspeaker. */
export class FirstPage {
  readonly page: Page;
  readonly #heard: number[] = [];

  private constructor(page: Page) {
    this.page = page;
  }

  /** `before`: a script that the browser runs before the page's own. */
  static async open(chromium: Chromium, url: string, before = ''): Promise<FirstPage> {
    const page = await chromium.open();
    await page.addInitScript(`${EAR}\n${before}`);
    await page.setViewportSize({ width: 1280, height: 900 });
    await page.goto(url);
    return new FirstPage(page);
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  /** Waits until this text stands on the page. */
  async shows(text: string | RegExp, withinMs = WITHIN_MS): Promise<Locator> {
    const found = this.page.getByText(text).first();
    try {
      await found.waitFor({ timeout: withinMs });
    } catch (error) {
      const said = await this.page.locator('body').innerText();
      throw new Error(`the page does not show ${String(text)}; it says: ${said.slice(0, SAID_CHARS)}`, {
        cause: error,
      });
    }
    return found;
  }

  /** The field of the dial pad. */
  get dialField(): Locator {
    return this.page
      .getByRole('combobox', { name: 'Whom to dial' })
      .or(this.page.getByRole('textbox', { name: 'Whom to dial' }));
  }

  async callMe(): Promise<void> {
    await this.button('Call me').click();
  }

  /** Waits until it talks. */
  async talks(): Promise<void> {
    await this.shows(/^In a call with/);
  }

  /** Under which others ring this page: the lines of code name it. */
  async identity(): Promise<string> {
    const code = await this.page.getByLabel('Lines for Node.js').innerText();
    const [, identity] = /client:(browser-[0-9a-f]+)/.exec(code) ?? [];
    if (identity === undefined) throw new Error(`the lines of code name no browser: ${code}`);
    return identity;
  }

  close(): Promise<void> {
    return this.page.context().close();
  }

  /** What came to the loudspeaker so far, at 8 kHz. */
  async heard(): Promise<Float64Array> {
    const { rate, samples } = await this.page.evaluate<{ rate: number; samples: number[] }>('ear.heard()');
    for (const sample of samples) this.#heard.push(sample);
    return resample(Float64Array.from(this.#heard), rate, SAMPLE_RATE);
  }
}

/**
 * Taps remote tracks of WebRTC, and sound processors on their way to the loudspeaker. In the thread of the sound: a page
 * that is drawing loses none of it.
 */
const EAR = `
globalThis.ear = {
  chunks: [],
  rate: 8000,
  /** What came since the last time. */
  heard: () => ({
    rate: ear.rate,
    samples: ear.chunks.splice(0).flatMap((chunk) => Array.from(chunk, (sample) => Math.round(sample * 1e4) / 1e4)),
  }),
  async tap(context, source) {
    ear.rate = context.sampleRate;
    await (modules.get(context) ?? load(context));
    const tap = new AudioWorkletNode(context, 'ear', { numberOfOutputs: 1, outputChannelCount: [1] });
    tap.port.onmessage = ({ data }) => ear.chunks.push(data);
    connect.call(source, tap);
    connect.call(tap, context.destination);
  },
};
const modules = new WeakMap();
const load = (context) => {
  const code = \`registerProcessor('ear', class extends AudioWorkletProcessor {
    process([[samples]]) {
      this.port.postMessage(samples === undefined ? new Float32Array(128) : samples.slice());
      return true;
    }
  })\`;
  const loading = context.audioWorklet.addModule(URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
  modules.set(context, loading);
  return loading;
};
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (this instanceof AudioWorkletNode && to instanceof AudioDestinationNode) void ear.tap(this.context, this);
  return connect.call(this, to, ...rest);
};
const RealConnection = globalThis.RTCPeerConnection;
globalThis.RTCPeerConnection = class extends RealConnection {
  constructor(...options) {
    super(...options);
    const context = new AudioContext({ sampleRate: 8000 });
    load(context);
    this.addEventListener('track', ({ track }) => {
      const stream = new MediaStream([track]);
      // Chromium feeds Web Audio from a remote stream only while an element plays it.
      ear.element = Object.assign(new Audio(), { srcObject: stream, muted: true });
      void ear.element.play();
      void ear.tap(context, context.createMediaStreamSource(stream));
    });
  }
};
`;
