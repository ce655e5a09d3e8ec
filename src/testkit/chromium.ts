import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { peer } from './peers.ts';
import { atEnd, type Scope } from './scope.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface ChromiumOptions {
  /** Without it a page on this machine gathers no ICE candidates at all when only the loopback is up. Default true. */
  readonly loopbackCandidates?: boolean;
  /** getUserMedia gives a beeping device without asking (default), or to contexts that were granted `microphone`, or none. */
  readonly fakeMicrophone?: boolean | 'by-permission';
  /** `system` lets it resolve names as the machine does, instead of none. Default `local`. */
  readonly resolver?: 'local' | 'system';
  readonly flags?: readonly string[];
}

const LAUNCH_TIMEOUT_MS = 30_000;
/** Of each step in a page: a hanging browser fails the test that waits for it. */
const STEP_TIMEOUT_MS = 20_000;
const CLOSE_TIMEOUT_MS = 10_000;
const LOCAL_HOSTS = ['127.0.0.1', 'localhost', '[::1]'];
const NO_OTHER_HOST = `--host-resolver-rules=MAP * ~NOTFOUND, ${LOCAL_HOSTS.map((host) => `EXCLUDE ${host}`).join(', ')}`;

/**
 * The system's Chromium, headless, for pages on this machine. It can resolve no other host unless it is told to, and what it tried to reach is
 * told: by pages (`requests`), and by the browser itself, background services included (`hostsLookedUp`).
 */
export class Chromium {
  /** Addresses that pages asked for: documents, fetches, WebSockets. */
  readonly requests: string[] = [];
  /** Lines of the pages' consoles, and their uncaught errors. */
  readonly consoleLines: string[] = [];
  readonly #scope: Scope;
  readonly #browser: Browser;
  readonly #netLog: string;
  #closing: Promise<void> | undefined;

  private constructor(scope: Scope, browser: Browser, netLog: string) {
    this.#scope = scope;
    this.#browser = browser;
    this.#netLog = netLog;
  }

  /** Closed with the scope. Skip the test by `peer('chromium').options` where there is none. */
  static async start(scope: Scope, options: ChromiumOptions = {}): Promise<Chromium> {
    const { loopbackCandidates = true, fakeMicrophone = true, resolver = 'local', flags = [] } = options;
    const netLog = join(temporaryFolder(scope, 'chromium'), 'net.json');
    const browser = await chromium.launch({
      executablePath: peer('chromium').path,
      timeout: LAUNCH_TIMEOUT_MS,
      args: [
        // Tests run as root in CI, where the sandbox refuses to start; the pages are our own.
        '--no-sandbox',
        `--log-net-log=${netLog}`,
        ...(resolver === 'local' ? [NO_OTHER_HOST] : []),
        '--autoplay-policy=no-user-gesture-required',
        ...(loopbackCandidates ? ['--allow-loopback-in-peer-connection'] : []),
        ...(fakeMicrophone === false ? [] : ['--use-fake-device-for-media-stream']),
        ...(fakeMicrophone === true ? ['--use-fake-ui-for-media-stream'] : []),
        ...flags,
      ],
    });
    const started = new Chromium(scope, browser, netLog);
    atEnd(scope, () => started.close());
    return started;
  }

  get version(): string {
    return this.#browser.version();
  }

  /** A page in a context of its own (no cookies, no storage of others): at `url`, else an empty one from 127.0.0.1. */
  async open(url?: string): Promise<Page> {
    const context = await this.#browser.newContext();
    context.setDefaultTimeout(STEP_TIMEOUT_MS);
    const page = await context.newPage();
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('websocket', (socket) => this.requests.push(socket.url()));
    page.on('console', (message) => this.consoleLines.push(message.text()));
    page.on('pageerror', (error) => this.consoleLines.push(error.message));
    await page.goto(url ?? (await this.#emptyPage()));
    return page;
  }

  /** Safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= closeWithin(this.#browser);
    return this.#closing;
  }

  /** What anything in the browser wanted resolved, besides this machine and its maker's services. Closes the browser. */
  async hostsLookedUp(): Promise<readonly string[]> {
    await this.close();
    return hostsOf(readFileSync(this.#netLog, 'utf8'));
  }

  async #emptyPage(): Promise<string> {
    // From 127.0.0.1 a page is a secure context, which WebRTC's devices want.
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>empty</title>');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    atEnd(this.#scope, () => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }
}

async function closeWithin(browser: Browser): Promise<void> {
  const limit = AbortSignal.timeout(CLOSE_TIMEOUT_MS);
  const late = new Promise<void>((_, reject) => {
    limit.addEventListener('abort', () => reject(new Error(`Chromium did not close in ${CLOSE_TIMEOUT_MS / 1000} s`)));
  });
  await Promise.race([browser.close(), late]);
}

/** What Chromium asks for its own sake, whatever flags say; in tests it never gets there. */
export const OWN_SERVICES = /(^|\.)(google\.com|googleapis\.com|gvt1\.com|gstatic\.com)$|^~notfound$/;

/** Hosts in a net log. A log that was cut off at the end is still read: each event is a line of its own. */
function hostsOf(log: string): readonly string[] {
  const found = new Set<string>();
  for (const [, host = ''] of log.matchAll(/"host":"((?:https?:\/\/)?[^"]+)"/g)) {
    const name = host.replace(/^\w+:\/\//, '').replace(/:\d+$/, '');
    if (!LOCAL_HOSTS.includes(name) && !OWN_SERVICES.test(name)) found.add(name);
  }
  return [...found].sort();
}
