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
import { WebApplication } from '../src/testkit/web-application.ts';
import type { CallTrace } from '../src/trace/call-trace.ts';
import { tellStory } from '../src/trace/story.ts';

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
const STEP_MS = 30_000;

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
    const line = await server.line(/^VoT is at/, { withinMs: STEP_MS });
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

/** What the study says of a figure, as messages in their order: `from -> to: text; detail`. */
interface Figure {
  readonly file: string;
  readonly messages: readonly RegExp[];
}

const TOKEN = (name: string): readonly RegExp[] => [
  new RegExp(`^${name} -> application: GET /token`),
  new RegExp(`^application -> ${name}: 200 capability token`),
];
const REGISTERS = (name: string): readonly RegExp[] => [
  new RegExp(`^${name} -> Tandem: listen`),
  new RegExp(`^Tandem -> ${name}: connected; identity ${name}`),
  new RegExp(`^${name} -> Tandem: register`),
  new RegExp(`^Tandem -> ${name}: ready`),
];

const FIGURES = {
  automatedCall: {
    file: 'figure-3.svg',
    messages: [
      /^script -> Tandem: POST \/Calls.json/,
      /^Tandem -> script: 201; status queued/,
      /^Tandem -> \S+: INVITE/,
      /^\S+ -> Tandem: 200/,
      /^Tandem -> \S+: ACK/,
      /^Tandem -> application: POST \/hello/,
      /^application -> Tandem: 200 TwiML; <Say> Hello World/,
      /^Tandem -> \S+: sound; plays speech/,
      /^Tandem -> \S+: BYE/,
    ],
  },
  clientToClient: {
    file: 'figure-4.svg',
    messages: [
      ...TOKEN('jenny'),
      ...REGISTERS('jenny'),
      ...TOKEN('mike'),
      ...REGISTERS('mike'),
      /^mike -> Tandem: invite; To=jenny/,
      /^Tandem -> application: POST \/voice; .*From=client:mike To=jenny/,
      /^application -> Tandem: 200 TwiML; <Dial> <Client> jenny/,
      /^Tandem -> jenny: invite; From=client:mike/,
      /^jenny -> Tandem: answer/,
      /^Tandem -> mike: answer/,
      /^(?:mike|jenny) -> Tandem: sound/,
      /^(?:mike|jenny) -> Tandem: sound/,
      /^mike -> Tandem: hangup/,
      /^Tandem -> jenny: hangup/,
    ],
  },
  phoneToClient: {
    file: 'figure-5.svg',
    messages: [
      ...TOKEN('mike'),
      ...REGISTERS('mike'),
      /^\+12025550123 -> Tandem: INVITE/,
      /^Tandem -> application: POST \/voice; .*From=\+12025550123/,
      /^application -> Tandem: 200 TwiML; <Dial> <Client> mike/,
      /^Tandem -> mike: invite/,
      /^mike -> Tandem: answer/,
      /^Tandem -> \+12025550123: 200/,
      /^(?:mike|\S+23) -> Tandem: sound/,
      /^\+12025550123 -> Tandem: BYE/,
      /^Tandem -> mike: hangup/,
    ],
  },
  clientToPhone: {
    file: 'figure-6.svg',
    messages: [
      ...TOKEN('mike'),
      ...REGISTERS('mike'),
      /^mike -> Tandem: invite; To=\+12025550123/,
      /^Tandem -> application: POST \/voice; .*To=\+12025550123/,
      /^application -> Tandem: 200 TwiML; <Dial> <Number> \+12025550123/,
      /^Tandem -> \+12025550123: INVITE/,
      /^\+12025550123 -> Tandem: 200/,
      /^Tandem -> mike: answer/,
      /^mike -> Tandem: sound/,
      /^mike -> Tandem: hangup/,
      /^Tandem -> \+12025550123: BYE/,
    ],
  },
} satisfies Record<string, Figure>;

/** The call's trace holds the figure's messages in their order; drawn into the documentation on request. */
async function tells({ file, messages }: Figure, sid: string, vot: Vot): Promise<void> {
  // The last messages pass while the page is told already.
  const lines = await eventually(() => linesOf(sid, vot), {
    until: (told) => missingOf(messages, told) === undefined,
    what: `the messages of ${file}`,
  }).catch(async (error: unknown) => {
    const told = await linesOf(sid, vot);
    throw new Error(`no ${String(missingOf(messages, told))} at its place in\n${told.join('\n')}`, { cause: error });
  });
  assert.ok(lines.length >= messages.length);
  const picture = join(temporaryFolder(vot.context, 'picture'), file);
  const drawn = await vot.tandem.command('trace', sid, '--with', vot.traceFile, '--svg', picture);
  assert.equal(drawn.code, 0, drawn.stderr);
  const svg = readFileSync(picture, 'utf8');
  assert.ok(!svg.includes(vot.tandem.ready.authToken) && !/eyJ[\w-]{20}/.test(svg), 'no secret is drawn');
  if (DRAW && !file.startsWith('twilio')) writeFileSync(join(DIAGRAMS, file), svg);
}

async function linesOf(sid: string, vot: Vot): Promise<readonly string[]> {
  const told = await vot.tandem.command('trace', sid, '--with', vot.traceFile, '--json');
  assert.equal(told.code, 0, told.stderr);
  const { lanes, rows } = tellStory(told.json() as CallTrace);
  const name = (lane: number): string => lanes[lane]?.name ?? '?';
  return rows.flatMap((row) =>
    row.kind === 'gap'
      ? []
      : [`${name(row.from)} -> ${name(row.to)}: ${row.text}${row.detail === '' ? '' : `; ${row.detail}`}`],
  );
}

/** The first message that does not come after those before it. */
function missingOf(wanted: readonly RegExp[], lines: readonly string[]): RegExp | undefined {
  let at = 0;
  return wanted.find((pattern) => {
    const found = lines.findIndex((line, index) => index >= at && pattern.test(line));
    at = found + 1;
    return found < 0;
  });
}

suite('VoT, the application of the study', everyPeer('chromium', 'baresip'), () => {
  test('is a token server and a page in less than a hundred lines', () => {
    const lines = ['server.mjs', 'page.html'].map(
      (name) => readFileSync(join(EXAMPLE, name), 'utf8').split('\n').length - 1,
    );
    assert.ok(lines.reduce((sum, each) => sum + each) < 100, `${lines.join(' + ')} lines`);
  });

  for (const sdk of ['tandem', 'twilio'] as const) {
    const name = sdk === 'tandem' ? "Tandem's client" : "the vendor's SDK";
    test(`with ${name}, clients and phones call each other; each hears only the other, as the study draws it`, async (t) => {
      const vot = await Vot.start(t);
      for (const [title, run] of Object.entries({ clientToClient, phoneToClient, clientToPhone })) {
        const sid = await run(vot, sdk);
        const figure = FIGURES[title as keyof typeof FIGURES];
        await tells(sdk === 'tandem' ? figure : { ...figure, file: `twilio-${figure.file}` }, sid, vot);
      }
      for (const name of ['mike', 'jenny'] as const) {
        const browser = await vot.browser(name);
        const others = browser.requests.map((each) => new URL(each).hostname).filter((host) => host !== '127.0.0.1');
        assert.deepEqual([others, await browser.hostsLookedUp()], [[], []]);
      }
    });
  }

  test('an automated call speaks its TwiML, as the study draws it', async (t) => {
    const vot = await Vot.start(t);
    vot.begin();
    const application = await WebApplication.start(t);
    application.authToken = vot.tandem.ready.authToken;
    const url = application.on('/hello', '<Response><Say voice="alice">Hello World</Say></Response>');
    const alice = await vot.phone();
    const { sid } = await vot.client.calls.create({ to: PHONE_NUMBER, from: vot.number, url });
    await alice.event('CALL_CLOSED', { withinMs: STEP_MS });
    assert.deepEqual(application.unsigned, []);
    await tells(FIGURES.automatedCall, sid, vot);
  });
});
