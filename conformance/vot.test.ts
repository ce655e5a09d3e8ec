import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import type { Page } from 'playwright-core';
import twilio from 'twilio';
import { Baresip } from '../src/testkit/baresip.ts';
import { Chromium } from '../src/testkit/chromium.ts';
import { RunningProcess } from '../src/testkit/child-process.ts';
import { eventually } from '../src/testkit/eventually.ts';
import { everyPeer } from '../src/testkit/peers.ts';
import { PhonePage } from '../src/testkit/phone-page.ts';
import { atEnd } from '../src/testkit/scope.ts';
import { secondsOfTone } from '../src/testkit/sound-measure.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';
import { encodeWav, toneSamples } from '../src/testkit/wav.ts';

const ROOT = join(import.meta.dirname, '..');
const EXAMPLE = join(ROOT, 'examples/vot');
const DIAGRAMS = join(ROOT, 'docs/diagrams');
/** Writes what the runs drew into docs/diagrams. */
const DRAW = process.env['TANDEM_DRAW'] === '1';
const PHONE_NUMBER = '+12025550123';
const HERTZ = { mike: 900, jenny: 600, alice: 600 } as const;
const CLEAR = 0.6;
const SILENT = 0.1;
const TONE_SECONDS = 120;
/** On a busy machine. */
const STEP_MS = 20_000;

type Sdk = 'tandem' | 'twilio';

/** The example as a person runs it, beside a server and a phone. */
class Vot {
  readonly context: TestContext;
  readonly tandem: Tandem;
  readonly url: string;
  readonly number: string;
  readonly traceFile: string;
  readonly client: ReturnType<typeof twilio>;
  readonly #browsers = new Map<string, Promise<Chromium>>();

  private constructor(parts: Pick<Vot, 'context' | 'tandem' | 'url' | 'number' | 'traceFile'>) {
    this.context = parts.context;
    this.tandem = parts.tandem;
    this.url = parts.url;
    this.number = parts.number;
    this.traceFile = parts.traceFile;
    this.client = twilio(parts.tandem.ready.accountSid, parts.tandem.ready.authToken);
    this.client.api.baseUrl = parts.tandem.http;
  }

  static async start(context: TestContext): Promise<Vot> {
    const data = temporaryFolder(context, 'vot');
    const phones = [{ name: 'alice', password: 'secret', number: PHONE_NUMBER }];
    const tandem = await Tandem.start(context, { data, config: { phones, callsPerSecond: 10 } });
    const traceFile = join(data, 'pages.jsonl');
    const environment = { TANDEM_DATA: data, PORT: '0', VOT_TRACE: traceFile };
    const server = RunningProcess.start(process.execPath, [join(EXAMPLE, 'server.mjs')], { environment });
    atEnd(context, async () => void (await server.end('SIGKILL')));
    const line = await server.line(/^VoT is at/);
    const [, url = '', number = ''] = /at (\S+) .* for (\S+)$/.exec(line) ?? [];
    return new Vot({ context, tandem, url, number, traceFile });
  }

  /** A page of the example in a browser of its own, whose microphone says a tone; registered by its form. */
  async page(name: 'mike' | 'jenny', sdk: Sdk): Promise<PhonePage> {
    const page = await (await this.browser(name)).open();
    await page.addInitScript(STEADY_TONES);
    await page.goto(sdk === 'twilio' ? `${this.url}?sdk=twilio` : this.url);
    await page.fill('[name=identity]', name);
    await page.click('#register button');
    await stateOf(page, 'Registered');
    return PhonePage.open(page, '');
  }

  browser(name: 'mike' | 'jenny'): Promise<Chromium> {
    const known = this.#browsers.get(name) ?? this.#start(name);
    this.#browsers.set(name, known);
    return known;
  }

  #start(name: 'mike' | 'jenny'): Promise<Chromium> {
    const path = join(temporaryFolder(this.context, 'microphone'), 'tone.wav');
    writeFileSync(path, encodeWav(toneSamples({ hertz: HERTZ[name], seconds: TONE_SECONDS })));
    const flags = [`--use-file-for-fake-audio-capture=${path}`, '--ignore-certificate-errors'];
    return Chromium.start(this.context, { flags });
  }

  phone(): Promise<Baresip> {
    return Baresip.start(this.context, {
      ...{ user: 'alice', server: this.tandem.sip, domain: 'home.tandem', hertz: HERTZ.alice },
    });
  }

  /** Forgets which tokens were asked for so far. */
  begin(): void {
    writeFileSync(this.traceFile, '');
  }
}

/** Else a steady tone is taken for noise and suppressed. */
const STEADY_TONES = `
  const { mediaDevices } = navigator;
  const get = mediaDevices.getUserMedia.bind(mediaDevices);
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  mediaDevices.getUserMedia = ({ audio, ...others }) =>
    get({ ...others, audio: { ...(typeof audio === 'object' ? audio : {}), ...plain } });
`;

async function stateOf(page: Page, wanted: string): Promise<void> {
  await eventually(() => page.locator('#state').innerText(), {
    ...{ until: (state: string) => state === wanted, what: `${JSON.stringify(wanted)} in the page`, withinMs: STEP_MS },
  });
}

async function dial(caller: PhonePage, to: string): Promise<void> {
  await caller.page.fill('[name=To]', to);
  await caller.page.click('#call button');
}

async function answer(callee: PhonePage, from: string): Promise<void> {
  await stateOf(callee.page, `${from} calls`);
  await callee.page.click('#answer');
}

/** Whose tone is heard, and whose is not. */
async function hears(listener: PhonePage, [wanted, own]: readonly [number, number]): Promise<void> {
  await stateOf(listener.page, 'Talking');
  await listener.run('void (voice.call_ = now)');
  await eventually(() => listener.hears([wanted, own]), {
    until: ([clear = 0, silent = 1]) => clear > CLEAR && silent < SILENT,
    what: `${wanted} Hz alone`,
  });
}

async function sidOf(page: PhonePage): Promise<string> {
  return String(await page.run('now.parameters.CallSid'));
}

async function clientToClient(vot: Vot, sdk: Sdk): Promise<string> {
  vot.begin();
  const [jenny, mike] = [await vot.page('jenny', sdk), await vot.page('mike', sdk)];
  await dial(mike, 'jenny');
  await answer(jenny, 'client:mike');
  await Promise.all([hears(mike, [HERTZ.jenny, HERTZ.mike]), hears(jenny, [HERTZ.mike, HERTZ.jenny])]);
  const sid = await sidOf(mike);
  await mike.page.click('#end');
  await stateOf(jenny.page, 'The call is over');
  await Promise.all([mike.close(), jenny.close()]);
  return sid;
}

async function phoneToClient(vot: Vot, sdk: Sdk): Promise<string> {
  vot.begin();
  const [mike, alice] = [await vot.page('mike', sdk), await vot.phone()];
  await alice.dial(`sip:${vot.number}@${vot.tandem.sip}`);
  await answer(mike, PHONE_NUMBER);
  await alice.event('CALL_ESTABLISHED');
  await hears(mike, [HERTZ.alice, HERTZ.mike]);
  await hears(mike, [HERTZ.alice, HERTZ.mike]);
  const sid = await sidOf(mike);
  await alice.hangup();
  await stateOf(mike.page, 'The call is over');
  await mike.close();
  await heardOnlyMike(alice);
  return sid;
}

async function clientToPhone(vot: Vot, sdk: Sdk): Promise<string> {
  vot.begin();
  const [mike, alice] = [await vot.page('mike', sdk), await vot.phone()];
  await dial(mike, PHONE_NUMBER);
  await alice.event('CALL_ESTABLISHED');
  await hears(mike, [HERTZ.alice, HERTZ.mike]);
  await hears(mike, [HERTZ.alice, HERTZ.mike]);
  const sid = await sidOf(mike);
  await mike.page.click('#end');
  await alice.event('CALL_CLOSED');
  await mike.close();
  await heardOnlyMike(alice);
  return sid;
}

async function heardOnlyMike(alice: Baresip): Promise<void> {
  await alice.quit();
  const heard = alice.heard();
  const [mike, own] = [secondsOfTone(heard, HERTZ.mike), secondsOfTone(heard, HERTZ.alice)];
  assert.ok(mike > 0.8, `the phone heard the browser for ${mike} s`);
  assert.ok(own < 0.3, `the phone heard itself for ${own} s`);
}

suite('VoT', everyPeer('chromium', 'baresip'), () => {
  test('draft', async (t) => {
    const vot = await Vot.start(t);
    for (const [name, run] of Object.entries({ clientToClient, phoneToClient, clientToPhone })) {
      const sid = await run(vot, 'tandem').catch(async (e) => { const c = (await vot.client.calls.list())[0]; console.log(c?.status, (await vot.tandem.command('trace', c?.sid ?? '')).stdout); for (const n of ['mike','jenny'] as const) console.log((await vot.browser(n)).consoleLines); throw e; });
      const told = await vot.tandem.command('trace', sid, '--with', vot.traceFile);
      console.log(told.stdout, told.stderr);
      const svg = await vot.tandem.command('trace', sid, '--with', vot.traceFile, '--svg', `/tmp/vot-${name}.svg`);
      console.log(svg.stderr);
    }
  });
});
