import { createHash } from 'node:crypto';
import type { Trust } from './trust.ts';
import { recipes, type Recipe } from './recipes.ts';

const STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1b1f24, #e8eaed); --soft: light-dark(#56606b, #a3acb7);
  --ground: light-dark(#fbfbf9, #15181c); --card: light-dark(#ffffff, #1d2126); --line: light-dark(#d9dcd6, #363c44);
  --mark: light-dark(#0b5c4a, #6fd3b8); --code: light-dark(#f0f1ec, #262b31); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .75rem; }
h2 { font-size: 1.2rem; margin: 2.25rem 0 .75rem; }
p, ul, ol { margin: 0 0 .9rem; } ul, ol { padding-left: 1.4rem; }
a { color: var(--mark); }
a.button { display: inline-block; padding: .55rem .95rem; margin: 0 .5rem .5rem 0; border: 1px solid var(--mark);
  border-radius: .5rem; text-decoration: none; font-weight: 600; }
a:focus-visible, summary:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px; }
.soft { color: var(--soft); font-size: .92rem; }
.print { font-family: ui-monospace, monospace; overflow-wrap: anywhere; background: var(--code); border-radius: .5rem; padding: .75rem .9rem; }
pre { background: var(--code); border-radius: .5rem; padding: .75rem .9rem; overflow-x: auto; margin: 0 0 .9rem; font-size: .88rem; }
code { font-family: ui-monospace, monospace; overflow-wrap: anywhere; } pre code { overflow-wrap: normal; }
details { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; margin: 0 0 .6rem; padding: 0 1rem; }
summary { cursor: pointer; font-weight: 600; padding: .75rem 0; }
`;

/** For the policy of the page: this style and no other. */
export const STYLE_SOURCE = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`;

export function trustHtml(trust: Trust, publicUrl: string): string {
  const body = trust.authority === undefined ? ownCertificate(trust) : placeAuthority(trust, publicUrl);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Trusting this Tandem</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Trusting this Tandem</h1>
${body}
${without(trust, publicUrl)}
</main>
</body>
</html>
`;
}

function ownCertificate({ names }: Trust): string {
  return `<p>This server has a certificate of its operator, for ${escaped(names.join(', '))}. Nothing is to be installed, as long as your
machine trusts whoever signed it.</p>`;
}

function placeAuthority({ fingerprint, names, endsAt, vendorHosts, https }: Trust, publicUrl: string): string {
  const host = https === undefined ? undefined : new URL(https).hostname.replace(/^\[|\]$/g, '');
  return `<p>This server proves who it is with certificates of its own authority. Who installs that authority can use this server over
HTTPS: browsers then give pages the microphone, and SDKs connect. It counts for private names and addresses and for
<code>twilio.com</code> alone: it cannot vouch for your bank.</p>
<h2>The authority</h2>
<p><a class="button" href="/trust/tandem-ca.pem">tandem-ca.pem</a><a class="button" href="/trust/tandem-ca.crt">tandem-ca.crt (DER)</a></p>
<p>Before you trust it, compare its SHA-256 fingerprint with what <code>tandem trust</code> prints on the server: this page may have come
over a connection that somebody changed.</p>
<p class="print">${escaped(fingerprint ?? '')}</p>
<p class="soft">The server's own certificate is renewed by itself, the present one until ${new Date(endsAt).toISOString().slice(0, 10)}, and is for
${escaped(names.join(', '))}.</p>
<h2>How to install it</h2>
${recipes(publicUrl).map(recipeHtml).join('\n')}
<h2>Applications with no line changed</h2>
<p>SDKs go to hosts of the vendor. They come here when those names lead here, with HTTPS at port 443
(${https === undefined ? 'it is off' : `it is at <code>${escaped(https)}</code>`}), and the authority is trusted. A hosts file knows no wildcards, so each
name stands in it; on Linux <code>tandem trust --install</code> writes all this, and <code>--uninstall</code> takes it back.</p>
<details><summary>Lines for the hosts file, or records for your name server</summary>
<pre tabindex="0"><code>${escaped(vendorHosts.map((name) => `${host ?? 'ADDRESS'} ${name}`).join('\n'))}</code></pre></details>`;
}

function recipeHtml({ title, steps, commands, note }: Recipe): string {
  const list = steps.length === 0 ? '' : `<ol>${steps.map((step) => `<li>${escaped(step)}</li>`).join('')}</ol>`;
  const typed = commands.length === 0 ? '' : `<pre tabindex="0"><code>${escaped(commands.join('\n'))}</code></pre>`;
  const said = note === undefined ? '' : `<p class="soft">${escaped(note)}</p>`;
  return `<details><summary>${escaped(title)}</summary>${list}${typed}${said}</details>`;
}

function without({ https }: Trust, publicUrl: string): string {
  return `<h2>What works without</h2>
<ul>
<li>SIP phones, trunks, webhooks, recordings: none of them uses this authority.</li>
<li>Server code with one line: <code>client.api.baseUrl = '${escaped(publicUrl)}'</code>.</li>
<li>Pages on the server's own machine (<code>http://localhost</code>): browsers give them the microphone without HTTPS.</li>
</ul>
<p>Without it these do not work: the microphone for pages on other machines, the vendor's browser SDK
(${https === undefined ? 'which needs HTTPS, and HTTPS is off here' : 'which speaks TLS only'}), and SDKs with no line changed.</p>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
