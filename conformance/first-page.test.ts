import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { after, afterEach, before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import type { Locator, Page } from 'playwright-core';
import twilio from 'twilio';
import { WELCOME } from '../src/api/console/own-twiml.ts';
import { Baresip } from '../src/testkit/baresip.ts';
import { Chromium } from '../src/testkit/chromium.ts';
import { eventually } from '../src/testkit/eventually.ts';
import { FirstPage } from '../src/testkit/first-page.ts';
import { everyPeer } from '../src/testkit/peers.ts';
import { alignFollowing } from '../src/testkit/sound-measure.ts';
import type { Scope } from '../src/testkit/scope.ts';
import { speechReference } from '../src/testkit/speech-reference.ts';
import { Tandem } from '../src/testkit/tandem-process.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';
import { WebApplication } from '../src/testkit/web-application.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGE = join(ROOT, 'dist/page');
const MAX_COMPRESSED_SCRIPT_BYTES = 250_000;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Set it to draw docs/screenshots anew. */
const DRAWS = process.env['TANDEM_SCREENSHOTS'] !== undefined;
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 390, height: 844 };
const VIEWS = [
  { ...WIDE, colorScheme: 'light' },
  { ...NARROW, colorScheme: 'dark' },
  { ...WIDE, colorScheme: 'dark' },
  { ...NARROW, colorScheme: 'light' },
] as const;
const SPEECH_WITHIN_MS = 15_000;
const LINES_MS = 30_000;
const run = promisify(execFile);

/** A tab of a headless browser is never hidden. */
const HIDEABLE = `
let isHidden = false;
Object.defineProperty(document, 'visibilityState', { get: () => (isHidden ? 'hidden' : 'visible') });
globalThis.hide = (hidden) => {
  isHidden = hidden;
  document.dispatchEvent(new Event('visibilitychange'));
};
`;
const NOBODY = '+12025550100';
const WAIT = '<Response><Pause length="30"/></Response>';
/** Longer than a call that was asked for rings before it is answered by itself. */
const RINGS_OUT_S = 4;

/** What the tests share: starting a server and a browser for each of them would take longer than the tests. */
class World {
  readonly tandem: Tandem;
  readonly chromium: Chromium;
  readonly client: ReturnType<typeof twilio>;
  readonly #pages: FirstPage[] = [];

  constructor(tandem: Tandem, chromium: Chromium) {
    this.tandem = tandem;
    this.chromium = chromium;
    this.client = twilio(tandem.ready.accountSid, tandem.ready.authToken);
    this.client.api.baseUrl = tandem.http;
  }

  static async start(scope: Scope, chromium: Chromium, config: object = {}): Promise<World> {
    return new World(await Tandem.start(scope, { config: { callsPerSecond: 10, ...config } }), chromium);
  }

  get url(): string {
    return this.tandem.http.replace('127.0.0.1', 'localhost');
  }

  async open(before?: string): Promise<FirstPage> {
    const page = await FirstPage.open(this.chromium, this.url, before);
    this.#pages.push(page);
    return page;
  }

  /** Has the page called by somebody, as an application does; nobody asked for it. */
  ring(identity: string, request: object = { twiml: WAIT }): Promise<{ readonly sid: string }> {
    return this.client.calls.create({ to: `client:${identity}`, from: NOBODY, ...request });
  }

  async status(sid: string, wanted: string): Promise<void> {
    await eventually(async () => (await this.client.calls(sid).fetch()).status, {
      until: (status) => status === wanted,
      what: `${wanted} of ${sid}`,
    });
  }

  /** A page that nobody looks at any more takes no time from those that follow. */
  async closePages(): Promise<void> {
    for (const page of this.#pages.splice(0)) await page.close();
  }
}

/** A page is a phone from its first use on. */
async function becomePhone(page: FirstPage): Promise<void> {
  await page.callMe();
  await page.talks();
  await page.button('Hang up').click();
  await page.button('Call me').waitFor();
}

function focusedName({ page }: FirstPage): Promise<string> {
  return page.evaluate('document.activeElement.textContent');
}

/** It is seen and nothing lies over it, without anybody's scrolling. */
async function isWithinReach({ page }: FirstPage, button: Locator): Promise<boolean> {
  const { x, y, width, height } = (await button.boundingBox()) ?? { x: -1, y: -1, width: 0, height: 0 };
  const there = `document.elementFromPoint(${x + width / 2}, ${y + height / 2})`;
  return (await page.evaluate(`${there}?.closest('button')?.textContent`)) === (await button.textContent());
}

/** What both clocks of the call show for three seconds, whenever something was drawn. */
const LOOK_AT_CLOCKS = `new Promise((resolve) => {
  const shown = (element) => /\\d+(?::\\d\\d)+/.exec(element.textContent)?.[0];
  const row = [...document.querySelectorAll('button')].find((button) => button.textContent.includes('→'));
  const [seen, until] = [[], performance.now() + 3000];
  const look = () => {
    seen.push([shown(document.querySelector('[role=timer]')), shown(row)]);
    if (performance.now() < until) requestAnimationFrame(look);
    else resolve(seen);
  };
  look();
})`;

/** Draws the page as it is; only where asked. */
async function draw(
  { page }: FirstPage,
  name: string,
  views: readonly (typeof VIEWS)[number][] = VIEWS.slice(0, 2),
): Promise<void> {
  if (!DRAWS) return;
  const folder = join(ROOT, 'docs/screenshots');
  mkdirSync(folder, { recursive: true });
  for (const { colorScheme, ...viewport } of views) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.waitForTimeout(300);
    const path = join(folder, `${name}-${viewport.width}-${colorScheme}.png`);
    await page.screenshot({ path, fullPage: true });
  }
  await page.setViewportSize(WIDE);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
}

const SETTLED = `Promise.allSettled(
  document.getAnimations().filter((each) => each instanceof CSSTransition).map((each) => each.finished),
)`;

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** Serious faults that axe finds, in both schemes. */
async function seriousFaults(page: Page): Promise<readonly string[]> {
  const found: string[] = [];
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor({ state: 'attached' });
    // Halfway between two colours nothing has its contrast.
    await page.evaluate(SETTLED);
    await page.evaluate(AXE);
    const { violations, passes } = await page.evaluate<{ violations: Violation[]; passes: unknown[] }>('axe.run()');
    assert.ok(passes.length > 10, 'axe looked at the page');
    for (const { id, impact, nodes } of violations) {
      if (impact !== 'serious' && impact !== 'critical') continue;
      found.push(`${colorScheme} ${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join('\n')}`);
    }
  }
  return found;
}

/** A request with any headers, which fetch does not allow. */
async function ask(
  url: string,
  path: string,
  { method = 'GET', headers = {}, body }: { method?: string; headers?: OutgoingHttpHeaders; body?: object } = {},
): Promise<{ status: number; text: string; headers: IncomingMessage['headers'] }> {
  const { hostname, port } = new URL(url);
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  const outgoing = request({ hostname, port, path, method, headers: { ...json, ...headers } });
  outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, text: await readText(response), headers: response.headers };
}

suite('the first page', everyPeer('chromium', 'espeak-ng'), () => {
  // A hook that is made within `before` would run at the end of `before`.
  let cleanUp = async (): Promise<void> => undefined;
  const scope: Scope = { after: (work) => void (cleanUp = work) };
  after(() => cleanUp());
  let chromium: Chromium;
  let world: World;
  before(async () => {
    chromium = await Chromium.start(scope);
    world = await World.start(scope, chromium);
  });
  afterEach(() => world.closePages());

  test('Call me rings in the page and speaks; keys reach the flow; list and time line grow as it happens', async (t) => {
    const { tandem, client } = world;
    const page = await world.open();
    await page.shows('No calls yet');
    await draw(page, 'first-visit', VIEWS);
    assert.deepEqual(await seriousFaults(page.page), []);
    const identity = await page.identity();
    const code = await page.page.getByLabel('Lines for Node.js').innerText();
    assert.ok(code.includes(tandem.ready.accountSid) && code.includes(new URL(tandem.http).port));
    assert.ok(!code.includes(tandem.ready.authToken), 'the token is not shown');

    await page.callMe();
    await page.shows(/is calling$/);
    await page.talks();
    const reference = speechReference(t, WELCOME);
    const { correlation } = await eventually(async () => alignFollowing(await page.heard(), reference), {
      until: (heard) => heard.correlation >= 0.9,
      what: 'the welcome to be heard with a correlation of 0.9',
      withinMs: SPEECH_WITHIN_MS,
    });
    assert.ok(correlation >= 0.9);

    await page.page.keyboard.press('5');
    const asked = page.button(/POST \/console\/twiml\/pressed/);
    await asked.click();
    await page.shows('You pressed 5. Press another key, or hang up.');
    const listed = page.page.getByRole('list', { name: 'Time line' });
    for (const step of ['Queued', 'Ringing', 'In progress', 'Gather', 'Keys pressed']) {
      await listed.getByText(step).first().waitFor();
    }
    assert.match(await listed.innerText(), /Digits\s+5/);
    await draw(page, 'in-call', VIEWS);
    assert.deepEqual(await seriousFaults(page.page), []);

    await page.button('Hang up').click();
    await page.shows('completed');
    const [call] = await client.calls.list({ to: `client:${identity}` });
    assert.equal(call?.status, 'completed');
    await page.button('Call me').waitFor();
    assert.deepEqual(
      chromium.consoleLines.filter((line) => /Content Security Policy|Refused/i.test(line)),
      [],
    );
    const strangers = chromium.requests.filter(
      (each) => !/^(?:https?|wss?):\/\/(?:localhost|127\.0\.0\.1)[:/]|^blob:|^data:/.test(each),
    );
    assert.deepEqual(strangers, []);
  });

  test('the lines that were copied ring the page as they are, before it was ever used', async (t) => {
    const page = await world.open();
    const { page: tab } = page;
    await tab.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    const folder = temporaryFolder(t, 'lines');
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const copied = async (): Promise<string> => {
      await page.button('Copy').click();
      await page.button('Copied').waitFor();
      return tab.evaluate('navigator.clipboard.readText()');
    };
    const takes = async (): Promise<void> => {
      await page.button('Answer').click();
      await page.talks();
      await page.button('Hang up').click();
      await page.button('Call me').waitFor();
    };
    writeFileSync(join(folder, 'ring.mjs'), await copied());
    const { stdout } = await run(process.execPath, ['ring.mjs'], { cwd: folder, timeout: LINES_MS });
    assert.match(stdout, /^CA[0-9a-f]{32}\n$/);
    await takes();
    await tab.getByRole('tab', { name: 'curl' }).click();
    await run('sh', ['-c', `${await copied()} --silent --show-error --fail`], { timeout: LINES_MS });
    await takes();
  });

  test('on a narrow screen the keys are within reach in a call', async () => {
    const page = await world.open();
    await page.page.setViewportSize(NARROW);
    await page.callMe();
    await page.talks();
    const key = page.page.getByRole('button', { name: /^7/ });
    const place = await key.boundingBox();
    assert.ok(place !== null && place.y + place.height <= NARROW.height, JSON.stringify(place));
    await key.click();
    await page.shows('You pressed 7. Press another key, or hang up.');
    await page.button('Hang up').click();
    await page.button('Call me').waitFor();
  });

  test('works by the keyboard alone', async () => {
    const page = await world.open();
    const { keyboard } = page.page;
    await page.button('Call me').waitFor();
    const tabTo = async (name: string): Promise<void> => {
      for (let step = 0; step < 40 && (await focusedName(page)) !== name; step += 1) await keyboard.press('Tab');
      assert.equal(await focusedName(page), name);
    };
    await tabTo('Call me');
    await keyboard.press('Enter');
    await page.shows(/is calling$/);
    await keyboard.press('Enter');
    await page.talks();
    await keyboard.press('7');
    await page.shows('You pressed 7. Press another key, or hang up.');
    await tabTo('Mute');
    await keyboard.press('Enter');
    await tabTo('Unmute');
    await keyboard.press('Shift+Tab');
    assert.equal(await focusedName(page), 'Hang up');
    await keyboard.press('Enter');
    await page.button('Call me').waitFor();
  });

  test('a call that nobody asked for rings until it is answered, by a key of the keyboard', async (t) => {
    const { client } = world;
    const application = await WebApplication.start(t);
    const url = application.on('/voice', WAIT);
    const page = await world.open();
    await becomePhone(page);
    const identity = await page.identity();
    const unanswered = await world.ring(identity, { url, timeout: RINGS_OUT_S });
    await page.shows(`${NOBODY} is calling`);
    await world.status(unanswered.sid, 'no-answer');
    assert.equal((await client.calls(unanswered.sid).fetch()).duration, '0');
    await page.button('Call me').waitFor();
    assert.equal(application.requests.all.length, 0);
    const answered = await world.ring(identity, { url });
    await page.button('Answer').waitFor();
    await world.status(answered.sid, 'ringing');
    assert.equal(await focusedName(page), 'Answer');
    await page.page.keyboard.press('Enter');
    await page.talks();
    assert.equal((await application.request('/voice')).params['CallSid'], answered.sid);
    await page.button('Hang up').click();
    await world.status(answered.sid, 'completed');
  });

  test('a call is answered in the room of the calls: it is said, has the focus and gives it back', async () => {
    const page = await world.open();
    const { keyboard } = page.page;
    await becomePhone(page);
    const identity = await page.identity();
    await page.page.getByRole('link', { name: 'Calls', exact: true }).click();
    const row = page.page.getByRole('button', { name: /→/ }).first();
    await row.focus();
    const { sid } = await world.ring(identity);
    const asking = page.page.getByRole('alertdialog', { name: `${NOBODY} is calling` });
    const answer = asking.getByRole('button', { name: 'Answer' });
    await answer.waitFor();
    assert.equal(await focusedName(page), 'Answer');
    assert.ok(await isWithinReach(page, answer));
    assert.equal(await page.page.locator('[aria-live=assertive]').innerText(), `${NOBODY} is calling`);
    assert.deepEqual(await seriousFaults(page.page), []);
    await draw(page, 'incoming-call');
    await keyboard.press('Enter');
    await page.page.getByRole('region', { name: `In a call with ${NOBODY}` }).waitFor();
    await world.status(sid, 'in-progress');
    assert.match(await focusedName(page), /→/);
    assert.deepEqual(await seriousFaults(page.page), []);
    await keyboard.press('7');
    await page.shows('You pressed 7');
    await page.button('Hang up').click();
    await world.status(sid, 'completed');
    assert.equal(await asking.count(), 0);
  });

  test('on a narrow screen a call is within reach wherever one is, and whoever types goes on typing', async () => {
    const page = await world.open();
    const { page: tab } = page;
    await tab.setViewportSize(NARROW);
    await becomePhone(page);
    const identity = await page.identity();
    const rung = async (): Promise<{ sid: string; decline: Locator }> => {
      const { sid } = await world.ring(identity);
      const asking = tab.getByRole('alertdialog', { name: `${NOBODY} is calling` });
      await asking.waitFor();
      await eventually(() => isWithinReach(page, asking.getByRole('button', { name: 'Answer' })), {
        until: (isThere) => isThere,
        what: 'Answer within reach',
      });
      return { sid, decline: asking.getByRole('button', { name: 'Decline' }) };
    };
    const isTooWide = (): Promise<boolean> => tab.evaluate('document.documentElement.scrollWidth > innerWidth');

    await tab.evaluate('scrollTo(0, document.body.scrollHeight)');
    const first = await rung();
    await first.decline.click();
    await world.status(first.sid, 'busy');

    await page.dialField.fill('+1202555');
    await tab.evaluate('scrollTo(0, document.body.scrollHeight)');
    const second = await rung();
    await tab.keyboard.type('0177');
    assert.equal(await page.dialField.inputValue(), '+12025550177');
    await second.decline.click();
    await world.status(second.sid, 'busy');

    await page.button('Open the navigation').click();
    await tab.getByRole('link', { name: 'Calls', exact: true }).click();
    await page.button('Open the navigation').click();
    await tab.getByRole('link', { name: 'Home' }).waitFor();
    const third = await rung();
    assert.ok(!(await isTooWide()));
    assert.deepEqual(await seriousFaults(tab), []);
    await third.decline.click();
    await world.status(third.sid, 'busy');
  });

  test('the clocks of a call show the same at every moment, and the right time where the page’s own is wrong', async () => {
    const anHourLate = performance.timeOrigin - 3_600_000;
    const page = await world.open(`Object.defineProperty(performance, 'timeOrigin', { value: ${anHourLate} });`);
    await page.callMe();
    await page.talks();
    const seen = await page.page.evaluate<string[][]>(LOOK_AT_CLOCKS);
    assert.match(seen[0]?.[0] ?? '', /^0:0\d$/);
    for (const [own, listed] of seen) assert.equal(own, listed);
    assert.ok(new Set(seen.map(([own]) => own)).size >= 3, 'they go');
    await page.button('Hang up').click();
    await page.button('Call me').waitFor();
  });

  test('the dial pad calls another browser, both talk, and the call shows its legs', async () => {
    const [mike, jenny] = [await world.open(), await world.open()];
    await becomePhone(jenny);
    await mike.dialField.fill(`client:${await jenny.identity()}`);
    await mike.page.keyboard.press('Enter');
    await jenny.shows(/is calling$/);
    await jenny.button('Answer').click();
    await Promise.all([mike.talks(), jenny.talks()]);
    await mike.shows('Dial');
    const legs = mike.page.getByRole('radiogroup', { name: 'Legs of the call' });
    await legs.getByText(await jenny.identity()).waitFor();
    await draw(mike, 'two-legs');
    await jenny.button('Hang up').click();
    await mike.button('Call me').waitFor();
  });

  test('what goes wrong is told with its number, and what the application said', async (t) => {
    const { client } = world;
    const application = await WebApplication.start(t);
    application.on('/broken', { type: 'text/html', body: '<p>Not TwiML</p>' });
    application.on('/failing', { status: 503, body: 'The database is out of reach' });
    await client.incomingPhoneNumbers.create({ phoneNumber: '+12025550177', voiceUrl: `${application.url}/broken` });
    await client.incomingPhoneNumbers.create({ phoneNumber: '+12025550178', voiceUrl: `${application.url}/failing` });
    const page = await world.open();
    const listed = page.page.getByRole('list', { name: 'Time line' });
    // The newest call, which is the number's own, opens by itself.
    const dials = async (number: string, fault: string): Promise<void> => {
      await page.dialField.fill(number);
      await page.page.keyboard.press('Enter');
      await listed.getByText(fault, { exact: true }).waitFor();
    };
    const answered = page.page.getByLabel('What the application answered');

    await dials('+12025550177', 'Error 12102');
    await draw(page, 'application-error');
    assert.deepEqual(await seriousFaults(page.page), []);
    await page.button(/^POST \/broken answered 200 · /).click();
    await page.shows('Answer 200, text/html');
    assert.equal(await answered.innerText(), '<p>Not TwiML</p>');

    await page.button('Call me').waitFor();
    await dials('+12025550178', 'Error 11200');
    await page.button(/^POST \/failing answered 503/).click();
    await page.shows(/^Answer 503$/);
    assert.equal(await answered.innerText(), 'The database is out of reach');
  });

  test('names, addresses and answers are text, whatever stands in them', async (t) => {
    const hostile = '<img src=x onerror="hostile=1"><script>hostile=2</script>';
    const name = '<img/src=x/onerror=hostile=3>';
    const application = await WebApplication.start(t);
    const numbers = [{ phoneNumber: '+12025550179', voiceUrl: `${application.url}/voice` }];
    const hosting = await World.start(t, chromium, { numbers, phones: [{ name: 'mallory', password: 'secret' }] });
    const { client, tandem } = hosting;
    application.on('/voice', `<Gather numDigits="1" action="/broken"><Say><![CDATA[${hostile}]]></Say></Gather>`);
    application.on('/broken', { type: `text/html; about="${name}"`, body: hostile });
    await client.api.accounts(tandem.ready.accountSid).update({ friendlyName: hostile.slice(0, 64) });
    const said = chromium.consoleLines.length;
    const page = await hosting.open();
    await page.shows(hostile.slice(0, 64));
    await becomePhone(page);
    const listed = page.page.getByRole('list', { name: 'Time line' });

    const url = `${application.url}/voice?name=${encodeURIComponent(hostile)}`;
    await hosting.ring(await page.identity(), { url, from: `client:${name}` });
    await page.page.getByRole('alertdialog', { name: `client:${name} is calling` }).waitFor();
    await page.button('Answer').click();
    await page.talks();
    await listed.getByText(hostile).waitFor();
    await page.button(/^POST \/voice\?name=%3Cimg/).click();
    await listed.getByText(`client:${name}`, { exact: true }).first().waitFor();
    assert.ok((await listed.getByLabel('What the application answered').innerText()).includes(`[${hostile}]`));
    await page.page.keyboard.press('5');
    await listed.getByText('Error 12100').waitFor();
    await page.button(/^POST \/broken/).click();
    await listed.getByText(`text/html; about="${name}"`).waitFor();
    const broken = listed.getByLabel('What the application answered').last();
    assert.equal((await broken.innerText()).replaceAll(/\n */g, ''), hostile);
    await page.button('Call me').waitFor();

    const displayName = name.replaceAll('=', '-');
    const mallory = await Baresip.start(t, { user: 'mallory', displayName, server: tandem.sip });
    await mallory.dial(`sip:+12025550179@${tandem.sip}`);
    await page.button(/^POST \/voice answered/).click();
    await listed.getByText(displayName, { exact: true }).waitFor();

    assert.equal(await page.page.title(), 'Tandem');
    assert.equal(await page.page.evaluate('typeof hostile'), 'undefined');
    assert.equal(await page.page.locator('img, script:not([src])').count(), 0);
    // Nor was anything tried that the policy had to stop.
    assert.deepEqual(
      chromium.consoleLines.slice(said).filter((line) => /Content Security Policy|Refused/i.test(line)),
      [],
    );
  });

  test('a refused microphone, none at all, and an address that is not secure are said, with what to do', async (t) => {
    const page = await FirstPage.open(await Chromium.start(t, { fakeMicrophone: 'by-permission' }), world.url);
    await page.callMe();
    await page.shows('The microphone was refused');
    await draw(page, 'microphone-refused');
    assert.deepEqual(await seriousFaults(page.page), []);
    // The machine that runs the test may have one.
    const without = await world.open(
      `navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); };`,
    );
    await without.callMe();
    await without.shows('There is no microphone');
    const elsewhere = await world.open("Object.defineProperty(globalThis, 'isSecureContext', { value: false });");
    await elsewhere.callMe();
    await elsewhere.shows('Browsers give the microphone to secure addresses only');
    await elsewhere.shows(/Open https:\/\/localhost:\d+\/ instead/);
  });

  test('a server that is gone is said, and the page goes on when it is back', async (t) => {
    const data = temporaryFolder(t, 'data');
    const first = await Tandem.start(t, { data });
    const page = await FirstPage.open(chromium, first.http);
    await page.shows('No calls yet');
    await first.stop();
    await page.shows('The connection to Tandem is lost');
    await draw(page, 'connection-lost');
    assert.deepEqual(await seriousFaults(page.page), []);
    await Tandem.start(t, { data, flags: ['--http', new URL(first.http).host] });
    await page.page.getByText('The connection to Tandem is lost').waitFor({ state: 'detached' });
    await page.callMe();
    await page.talks();
    await page.button('Hang up').click();
    await page.button('Call me').waitFor();
  });

  test('a page opens however many others are in tabs that nobody sees; seen again, they are up to date', async () => {
    const first = await world.open(HIDEABLE);
    await first.shows('Live');
    await first.page.evaluate('hide(true)');
    // Of one server a browser keeps six connections open.
    for (let tabs = 1; tabs <= 7; tabs += 1) {
      const tab = await first.page.context().newPage();
      await tab.addInitScript(HIDEABLE);
      await tab.goto(world.url);
      await tab.getByText('Live', { exact: true }).waitFor();
      await tab.evaluate('hide(true)');
    }
    const { sid } = await world.ring('browser-absent');
    await world.status(sid, 'no-answer');
    const row = first.page.getByRole('button', { name: /browser-absent/ });
    assert.equal(await row.count(), 0);
    await first.page.evaluate('hide(false)');
    await row.getByText('no answer').waitFor();
  });

  test('where loopback is not trusted the account is shown once, and wrong ones are slowed down', async (t) => {
    const closed = await World.start(t, chromium, { trustLoopback: false });
    const { tandem } = closed;
    const { accountSid, authToken } = tandem.ready;
    const page = await closed.open();
    await page.shows('Open the page');
    await draw(page, 'log-in');
    assert.deepEqual(await seriousFaults(page.page), []);
    await page.page.getByLabel('Account SID').fill(accountSid);
    await page.page.getByLabel('Auth token').first().fill('wrong');
    await page.button('Open the page').click();
    await page.shows('Not let in');
    await page.page.getByLabel('Auth token').first().fill(authToken);
    await page.button('Open the page').click();
    await page.shows('Your browser is a phone');
    const cookies = await page.page.context().cookies(`${tandem.http.replace('127.0.0.1', 'localhost')}/console`);
    assert.deepEqual(
      cookies.map(({ name, httpOnly, sameSite, path }) => ({ name, httpOnly, sameSite, path })),
      [{ name: 'tandem_session', httpOnly: true, sameSite: 'Strict', path: '/console' }],
    );
    await page.callMe();
    await page.talks();
    await page.button('Log out').click();
    await page.shows('Open the page');
    const guess = { method: 'POST', body: { accountSid, authToken: 'guess' } };
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1)
      statuses.push((await ask(tandem.http, '/console/session', guess)).status);
    assert.equal(statuses.at(-1), 429);
  });

  test('other names, other sites and proxies are not trusted; nothing of them changes anything', async () => {
    const { tandem, client } = world;
    const { host } = new URL(tandem.http);
    const { port } = new URL(tandem.http);
    const status = async (headers: OutgoingHttpHeaders, path = '/console/session'): Promise<number> =>
      (await ask(tandem.http, path, { headers })).status;
    assert.equal(await status({}), 200);
    assert.equal(await status({ host: `localhost:${port}`, origin: `http://localhost:${port}` }), 200);
    const named: readonly OutgoingHttpHeaders[] = [
      { host: `rebound.example:${port}` },
      { host: `localhost.rebound.example:${port}` },
      { 'x-forwarded-for': '203.0.113.9' },
    ];
    const foreign: readonly OutgoingHttpHeaders[] = [
      { origin: 'http://elsewhere.example' },
      { origin: 'null' },
      { host, 'sec-fetch-site': 'cross-site' },
      { host, 'sec-fetch-site': 'same-site' },
    ];
    for (const path of ['/console/session', '/console/auth-token', '/console/events']) {
      for (const headers of named) assert.equal(await status(headers, path), 401);
      for (const headers of foreign) assert.equal(await status(headers, path), 403);
    }
    const credentials = { accountSid: tandem.ready.accountSid, authToken: tandem.ready.authToken };
    const identity = 'browser-strange';
    for (const path of ['/console/call-me', '/console/phone-token']) {
      const change = { method: 'POST', body: { identity } };
      for (const headers of named) assert.equal((await ask(tandem.http, path, { ...change, headers })).status, 401);
      for (const headers of foreign) assert.equal((await ask(tandem.http, path, { ...change, headers })).status, 403);
    }
    assert.deepEqual(await client.calls.list({ to: `client:${identity}` }), []);

    // Whoever has the credentials may log in by any name; no foreign page may, and none may log anybody out.
    const logIn = { method: 'POST', body: credentials };
    const letIn = await ask(tandem.http, '/console/session', { ...logIn, headers: named[0] ?? {} });
    const [cookie = ''] = (letIn.headers['set-cookie']?.[0] ?? '').split(';');
    assert.equal(letIn.status, 204);
    for (const headers of foreign) {
      const forgedLogIn = await ask(tandem.http, '/console/session', { ...logIn, headers });
      assert.deepEqual([forgedLogIn.status, forgedLogIn.headers['set-cookie']], [403, undefined]);
      const logOut = { method: 'DELETE', headers: { ...headers, cookie } };
      assert.equal((await ask(tandem.http, '/console/session', logOut)).status, 403);
    }
    assert.equal(await status({ ...named[0], cookie }), 200, 'the session goes on');
    await ask(tandem.http, '/console/session', { method: 'DELETE', headers: { cookie } });
    assert.equal(await status({ ...named[0], cookie }), 401, 'its own page ends it');
    const forged = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    assert.equal((await ask(tandem.http, '/console/twiml/dial', forged)).status, 403);
    for (const identity of ['', 'alice', 'browser-<b>', 'x'.repeat(5000)]) {
      const { status: refused } = await ask(tandem.http, '/console/call-me', { method: 'POST', body: { identity } });
      assert.equal(refused, 400);
    }
  });

  test('is small, has a strict policy and no script of its own in the document', async () => {
    const { tandem } = world;
    const { headers, text } = await ask(tandem.http, '/');
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /^default-src 'none'; script-src 'self' blob:; style-src 'self' 'nonce-[0-9a-f]{32}'/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(text, /<script(?![^>]* src=)|<style| on[a-z]+=/);
    const scripts = readdirSync(join(PAGE, 'assets')).filter((name) => name.endsWith('.js'));
    assert.ok(scripts.length > 0);
    const bytes = scripts.reduce((sum, name) => sum + gzipSync(readFileSync(join(PAGE, 'assets', name))).length, 0);
    assert.ok(bytes < MAX_COMPRESSED_SCRIPT_BYTES, `${bytes} bytes`);
    const [name = ''] = scripts;
    const served = await ask(tandem.http, `/console/assets/${name}`, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(served.headers['content-encoding'], 'gzip');
    assert.match(String(served.headers['cache-control']), /immutable/);
  });
});
