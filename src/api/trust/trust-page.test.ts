import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { suite, test, type TestContext } from 'node:test';
import { fastify } from 'fastify';
import { AUTHORITY_PEM } from '../../testkit/certificate.ts';
import { Chromium } from '../../testkit/chromium.ts';
import { peer } from '../../testkit/peers.ts';
import { atEnd } from '../../testkit/scope.ts';
import { addTrustPage } from './trust-page.ts';
import type { Trust } from './trust.ts';

const TRUST: Trust = {
  authority: AUTHORITY_PEM,
  fingerprint: new X509Certificate(AUTHORITY_PEM).fingerprint256,
  names: ['localhost', '<script>alert(1)</script>'],
  endsAt: Date.UTC(2026, 5, 1),
  https: 'https://192.168.7.9:3643',
  vendorHosts: ['api.twilio.com', 'sdk.twilio.com'],
};

async function served(context: TestContext, trust: Trust = TRUST): Promise<string> {
  const app = fastify();
  addTrustPage(app, { trust: () => Promise.resolve(trust), publicUrl: () => 'http://192.168.7.9:3600' });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  atEnd(context, () => app.close());
  return url;
}

suite('the page that hands out the authority', () => {
  test('shows its fingerprint and how each system learns to trust it, and what works without', async (t) => {
    const response = await fetch(`${await served(t)}/trust`);
    assert.equal(response.status, 200);
    const html = await response.text();
    for (const part of [
      TRUST.fingerprint ?? '',
      ...['Debian', 'Fedora', 'macOS', 'Windows', 'iPhone', 'Android', 'Firefox', 'Node', 'Python', 'Docker'],
      ...['http://192.168.7.9:3600/trust/tandem-ca.pem', '192.168.7.9 api.twilio.com', 'What works without'],
    ])
      assert.ok(html.includes(part), part);
    assert.doesNotMatch(html, /<script/, 'what names hold is text');
    assert.match(response.headers.get('content-security-policy') ?? '', /^default-src 'none'; style-src 'sha256-/);
  });

  test('hands it out as AUTHORITY_PEM, and in the form that phones install', async (t) => {
    const url = await served(t);
    const pem = await fetch(`${url}/trust/tandem-ca.pem`);
    assert.equal(pem.headers.get('content-type'), 'application/x-pem-file');
    assert.equal(await pem.text(), AUTHORITY_PEM);
    const der = await fetch(`${url}/trust/tandem-ca.crt`);
    assert.equal(der.headers.get('content-type'), 'application/x-x509-ca-cert');
    const certificate = new X509Certificate(Buffer.from(await der.arrayBuffer()));
    assert.equal(certificate.fingerprint256, TRUST.fingerprint);
  });

  test('with the certificate of an operator there is nothing to install', async (t) => {
    const url = await served(t, { ...TRUST, authority: undefined, fingerprint: undefined, https: undefined });
    assert.match(await (await fetch(`${url}/trust`)).text(), /Nothing is to be installed/);
    assert.equal((await fetch(`${url}/trust/tandem-ca.pem`)).status, 404);
  });

  test('fits a telephone and a desk, dark and light, and needs no script', peer('chromium').options, async (t) => {
    const url = await served(t);
    const chromium = await Chromium.start(t);
    const page = await chromium.open(`${url}/trust`);
    const grounds = new Set<unknown>();
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [390, 1280]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 844 });
        await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true");
        const wide = Number(await page.evaluate('document.documentElement.scrollWidth'));
        assert.ok(wide <= width, `${wide} px wide on ${width} px`);
        grounds.add(await page.evaluate('getComputedStyle(document.body).backgroundColor'));
        const folder = process.env['TANDEM_SCREENSHOTS'];
        if (folder !== undefined)
          await page.screenshot({ path: `${folder}/trust-${colorScheme}-${width}.png`, fullPage: true });
      }
    }
    assert.equal(grounds.size, 2, 'the style is taken, by its hash, and has two grounds');
    assert.deepEqual(chromium.consoleLines, []);
  });
});
