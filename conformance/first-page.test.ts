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
import type { Page } from 'playwright-core';
import twilio from 'twilio';
import { WELCOME } from '../src/api/console/own-twiml.ts';
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

  /** A page that nobody looks at any more takes no time from those that follow. */
  async closePages(): Promise<void> {
    for (const page of this.#pages.splice(0)) await page.close();
  }
}

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
    const focusedName = (): Promise<string> => page.page.evaluate('document.activeElement.textContent');
    const tabTo = async (name: string): Promise<void> => {
      for (let step = 0; step < 40 && (await focusedName()) !== name; step += 1) await keyboard.press('Tab');
      assert.equal(await focusedName(), name);
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
    assert.equal(await focusedName(), 'Hang up');
    await keyboard.press('Enter');
    await page.button('Call me').waitFor();
  });

  test('the dial pad calls another browser, both talk, and the call shows its legs', async () => {
    const [mike, jenny] = [await world.open(), await world.open()];
    // A page is a phone from its first use on.
    await jenny.callMe();
    await jenny.talks();
    await jenny.button('Hang up').click();
    await jenny.button('Call me').waitFor();
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
    await client.incomingPhoneNumbers.create({ phoneNumber: '+12025550177', voiceUrl: `${application.url}/broken` });
    const page = await world.open();
    await page.dialField.fill('+12025550177');
    await page.page.keyboard.press('Enter');
    // The newest call, which is the number's own, opens by itself.
    await page.shows(/^Error 12/);
    await draw(page, 'application-error');
    assert.deepEqual(await seriousFaults(page.page), []);
  });

  test('names and messages are text, whatever stands in them', async (t) => {
    const hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
    const { tandem, client } = world;
    const application = await WebApplication.start(t);
    application.on('/voice', `<Say>${hostile.replaceAll('<', '&lt;')}</Say>`);
    await client.api.accounts(tandem.ready.accountSid).update({ friendlyName: hostile.slice(0, 64) });
    const page = await world.open();
    await client.calls.create({
      to: `client:${await page.identity()}`,
      from: '+12025550100',
      url: `${application.url}/voice?name=${encodeURIComponent(hostile)}`,
    });
    await page.callMe();
    await page.talks();
    await client.calls
      .create({ to: 'sip:"><img@home.tandem', from: '+12025550100', twiml: '<Response/>' })
      .catch(() => undefined);
    await page.shows(hostile.slice(0, 30));
    assert.equal(await page.page.title(), 'Tandem');
    assert.equal(await page.page.locator('img[src="x"]').count(), 0);
  });

  test('a refused microphone and an address that is not secure are said, with what to do', async (t) => {
    const asking = { fakeMicrophone: false, flags: ['--use-fake-device-for-media-stream'] };
    const page = await FirstPage.open(await Chromium.start(t, asking), world.url);
    await page.callMe();
    await page.shows(/^The microphone was refused$|^There is no microphone$/);
    await draw(page, 'microphone-refused');
    assert.deepEqual(await seriousFaults(page.page), []);
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
    const { tandem } = world;
    const { host } = new URL(tandem.http);
    const { port } = new URL(tandem.http);
    const status = async (headers: OutgoingHttpHeaders, path = '/console/session'): Promise<number> =>
      (await ask(tandem.http, path, { headers })).status;
    assert.equal(await status({}), 200);
    assert.equal(await status({ host: `localhost:${port}`, origin: `http://localhost:${port}` }), 200);
    for (const path of ['/console/session', '/console/auth-token', '/console/events']) {
      assert.equal(await status({ host: `rebound.example:${port}` }, path), 401);
      assert.equal(await status({ host: `localhost.rebound.example:${port}` }, path), 401);
      assert.equal(await status({ origin: 'http://elsewhere.example' }, path), 403);
      assert.equal(await status({ origin: 'null' }, path), 403);
      assert.equal(await status({ host, 'sec-fetch-site': 'cross-site' }, path), 403);
      assert.equal(await status({ host, 'sec-fetch-site': 'same-site' }, path), 403);
      assert.equal(await status({ 'x-forwarded-for': '203.0.113.9' }, path), 401);
    }
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
