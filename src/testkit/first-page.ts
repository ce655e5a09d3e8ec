import type { Locator, Page } from 'playwright-core';
import type { Chromium } from './chromium.ts';
import { resample } from './sound-measure.ts';

const SAMPLE_RATE = 8000;
const SAID_CHARS = 400;
const WITHIN_MS = 40_000;

/** The server's own page in a browser, as a person uses it; what it plays is heard on the way to the loudspeaker. */
export class FirstPage {
  readonly page: Page;

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
    await found.waitFor({ timeout: withinMs });
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
    try {
      await this.shows(/^In a call with/);
    } catch (error) {
      const said = await this.page.getByRole('main').innerText();
      throw new Error(`the page does not talk; it says: ${said.slice(0, SAID_CHARS)}`, { cause: error });
    }
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
    return resample(Float64Array.from(samples), rate, SAMPLE_RATE);
  }
}

/** Taps remote tracks of WebRTC, and sound processors on their way to the loudspeaker. */
const EAR = `
globalThis.ear = {
  chunks: [],
  rate: 8000,
  heard: () => ({
    rate: ear.rate,
    samples: ear.chunks.flatMap((chunk) => Array.from(chunk, (sample) => Math.round(sample * 1e4) / 1e4)),
  }),
  tap(context, source) {
    ear.rate = context.sampleRate;
    const tap = context.createScriptProcessor(2048, 1, 1);
    tap.onaudioprocess = ({ inputBuffer }) => ear.chunks.push(inputBuffer.getChannelData(0).slice());
    connect.call(source, tap);
    connect.call(tap, context.destination);
  },
};
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  if (this instanceof AudioWorkletNode && to instanceof AudioDestinationNode) ear.tap(this.context, this);
  return connect.call(this, to, ...rest);
};
const RealConnection = globalThis.RTCPeerConnection;
globalThis.RTCPeerConnection = class extends RealConnection {
  constructor(...options) {
    super(...options);
    this.addEventListener('track', ({ track }) => {
      const context = new AudioContext({ sampleRate: 8000 });
      const stream = new MediaStream([track]);
      // Chromium feeds Web Audio from a remote stream only while an element plays it.
      ear.element = Object.assign(new Audio(), { srcObject: stream, muted: true });
      void ear.element.play();
      ear.tap(context, context.createMediaStreamSource(stream));
    });
  }
};
`;
