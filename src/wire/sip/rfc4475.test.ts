import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { contactPreference, parseAddress, parseContacts } from './address.ts';
import { parseAuthorization } from './digest.ts';
import { mediaType, parseCSeq, parseNumber } from './header-values.ts';
import { header, headers, type SipMessage } from './message.ts';
import { parameter } from './parameters.ts';
import { ABILITIES, messageOf } from './sample.fixture.ts';
import { serializeMessage } from './serialize.ts';
import { StreamFramer } from './stream-framer.ts';
import { parseSipUri, sameSipUri } from './uri.ts';
import { validateRequest, validateResponse } from './validate.ts';
import { branchOf, isUniqueBranch, parseTopVia, parseViaList } from './via.ts';

const FOLDER = new URL('../../../../shared/contracts/rfc4475/', import.meta.url);
const present = existsSync(FOLDER);

/** What is owed: `ok` (served), a status, or nothing at all. */
type Owed = 'ok' | 'drop' | 400 | 405 | 406 | 415 | 416 | 420 | 501 | 505;

interface Case {
  readonly owed: Owed;
  readonly promise: string;
  readonly check?: (message: SipMessage) => void;
}

function value(message: SipMessage, name: string): string {
  return header(message, name) ?? assert.fail(`no ${name}`);
}

function uriOf(message: SipMessage): ReturnType<typeof parseSipUri> {
  return message.kind === 'request' ? parseSipUri(message.uri) : undefined;
}

function contactsOf(message: SipMessage): Exclude<ReturnType<typeof parseContacts>, '*' | undefined> {
  const contacts = parseContacts(headers(message, 'Contact'));
  if (contacts === undefined || contacts === '*') return assert.fail('no contacts');
  return contacts;
}

const CASES: Readonly<Record<string, Case>> = {
  wsinv: {
    owed: 'ok',
    promise: 'reads folded, blank-padded and compact headers (3.1.1.1)',
    check: (message) => {
      const vias = parseViaList(headers(message, 'Via')) ?? [];
      assert.deepEqual(
        vias.map((via) => [via.transport, via.host, branchOf(via)]),
        [
          ['UDP', '192.0.2.2', '390skdjuw'],
          ['TCP', 'spindle.example.com', 'z9hG4bK9ikj8'],
          ['UDP', '192.168.255.111', 'z9hG4bK30239'],
        ],
      );
      assert.deepEqual(parseCSeq(value(message, 'CSeq')), { sequence: 9, method: 'INVITE' });
      assert.equal(parseNumber(value(message, 'Max-Forwards')), 68);
      assert.equal(value(message, 'Subject'), '');
      assert.equal(value(message, 'NewFangledHeader'), 'newfangled value continued newfangled value');
      assert.equal(value(message, 'UnknownHeaderWithUnusualValue'), ';;,,;;,;');
      assert.equal(parseAddress(value(message, 'From'))?.displayName, 'J Rosenberg \\"');
      const [contact] = contactsOf(message);
      assert.equal(contact?.displayName, 'Quoted string ""');
      assert.equal(contact && contactPreference(contact), 0.33);
      assert.equal(message.body.length, 150);
    },
  },
  intmeth: {
    owed: 501,
    promise: 'reads every character that tokens, users and quoted strings allow; nobody knows the method (3.1.1.2)',
    check: (message) => {
      assert.equal(message.kind === 'request' && message.method, "!interesting-Method0123456789_*+`.%indeed'~");
      assert.equal(uriOf(message)?.user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
      assert.equal(uriOf(message)?.password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
      assert.equal(parseAddress(value(message, 'To'))?.displayName, 'BEL:\u0007 NUL:\0 DEL:\u007f');
      const from = parseAddress(value(message, 'From'));
      assert.equal(from?.displayName, "token1~` token2'+_ token3*%!.-");
      assert.equal(from && parameter(from.parameters, "fromparam''~+*_!.-%"), 'работающий');
      assert.equal(value(message, "extensionHeader-!.%*+_`'~"), '\ufeff大停電');
      const served = { ...ABILITIES, methods: [message.kind === 'request' ? message.method : ''] };
      assert.equal(message.kind === 'request' && validateRequest(message, served).kind, 'ok');
    },
  },
  esc01: {
    owed: 'ok',
    promise: 'undoes escapes in URIs once (3.1.1.3)',
    check: (message) => {
      assert.equal(uriOf(message)?.user, 'sips:user@example.com');
      assert.equal(uriOf(message)?.host, 'example.net');
      assert.equal(parseSipUri(parseAddress(value(message, 'To'))?.uri ?? '')?.user, 'user');
      assert.equal(parseSipUri(parseAddress(value(message, 'From'))?.uri ?? '')?.user, 'I have spaces');
      const contact = parseSipUri(contactsOf(message)[0]?.uri ?? '');
      assert.equal(contact?.user, 'caller');
      assert.equal(contact && parameter(contact.parameters, 'lr'), '');
      assert.equal(contact && parameter(contact.parameters, 'name'), 'value%41');
    },
  },
  escnull: {
    owed: 'ok',
    promise: 'keeps escaped NULs in URIs, and tells the two contacts apart (3.1.1.4)',
    check: (message) => {
      const [one, two] = contactsOf(message).map(({ uri }) => parseSipUri(uri));
      assert.ok(one !== undefined && two !== undefined);
      assert.deepEqual([one.user, two.user], ['\0', '\0\0']);
      assert.equal(sameSipUri(one, two), false);
      assert.equal(parseSipUri(parseAddress(value(message, 'To'))?.uri ?? '')?.user, 'null-\0-null');
    },
  },
  esc02: {
    owed: 501,
    promise: 'takes % in a method and a header name as plain text: this is no REGISTER (3.1.1.5)',
    check: (message) => {
      assert.equal(message.kind === 'request' && message.method, 'RE%47IST%45R');
      assert.equal(parseAddress(value(message, 'To'))?.displayName, '%Z%45');
      assert.equal(contactsOf(message).length, 2);
      assert.equal(value(message, 'C%6Fntact'), '<sip:alias2@host2.example.com>');
    },
  },
  lwsdisp: {
    owed: 'ok',
    promise: 'needs no blank between display name and < (3.1.1.6)',
    check: (message) => assert.equal(parseAddress(value(message, 'From'))?.displayName, 'caller'),
  },
  longreq: {
    owed: 'ok',
    promise: 'reads long values and many Vias (3.1.1.7)',
    check: (message) => {
      assert.equal(parseViaList(headers(message, 'Via'))?.length, 34);
      assert.equal(header(message, 'Contact') !== undefined, true);
    },
  },
  dblreq: {
    owed: 'ok',
    promise: 'takes one request from a datagram and drops the bytes behind it (3.1.1.8)',
    check: (message) => {
      assert.equal(message.kind === 'request' && message.method, 'REGISTER');
      assert.equal(message.body.length, 0);
    },
  },
  semiuri: {
    owed: 'ok',
    promise: 'leaves semicolon parameters before the @ in the user part (3.1.1.9)',
    check: (message) => {
      assert.equal(uriOf(message)?.user, 'user;par=u@example.net');
      assert.deepEqual(uriOf(message)?.parameters, []);
    },
  },
  transports: {
    owed: 'ok',
    promise: 'reads Vias of transports it does not know (3.1.1.10)',
    check: (message) =>
      assert.deepEqual(
        parseViaList(headers(message, 'Via'))?.map(({ transport }) => transport),
        ['UDP', 'SCTP', 'TLS', 'UNKNOWN', 'TCP'],
      ),
  },
  mpart01: {
    owed: 'ok',
    promise: 'keeps a multipart body with binary content byte for byte (3.1.1.11)',
    check: (message) => {
      assert.equal(mediaType(value(message, 'Content-Type')), 'multipart/mixed');
      assert.equal(message.body.length, 553);
      assert.ok(message.body.includes(0));
    },
  },
  unreason: {
    owed: 'ok',
    promise: 'reads a reason phrase beyond ASCII (3.1.1.12)',
    check: (message) =>
      assert.equal(message.kind === 'response' && message.reason, '= 2**3 * 5**2 но сто девяносто девять - простое'),
  },
  noreason: {
    owed: 'ok',
    promise: 'reads an empty reason phrase (3.1.1.13)',
    check: (message) => assert.equal(message.kind === 'response' && message.reason, ''),
  },
  badinv01: { owed: 400, promise: 'refuses stray separators in Via and Contact (3.1.2.1)' },
  clerr: {
    owed: 400,
    promise: 'refuses a datagram shorter than its Content-Length (3.1.2.2)',
    check: (message) => assert.match(message.defect ?? '', /9999/),
  },
  ncl: { owed: 400, promise: 'refuses a negative Content-Length (3.1.2.3)' },
  scalar02: { owed: 400, promise: 'refuses a CSeq number of 2^32 or more (3.1.2.4)' },
  scalarlg: { owed: 'drop', promise: 'drops a response whose CSeq number is 2^32 or more (3.1.2.5)' },
  quotbal: { owed: 400, promise: 'refuses an unclosed quote in To (3.1.2.6)' },
  ltgtruri: { owed: 400, promise: 'refuses <> around the Request-URI (3.1.2.7)' },
  lwsruri: { owed: 400, promise: 'refuses a blank in the Request-URI (3.1.2.8)' },
  lwsstart: {
    owed: 'ok',
    promise: 'forgives more than one blank in the start line and writes one (3.1.2.9)',
    check: writesPlainStartLine('INVITE sip:user@example.com SIP/2.0\r\n'),
  },
  trws: {
    owed: 'ok',
    promise: 'forgives blanks at the end of the start line and writes none (3.1.2.10)',
    check: writesPlainStartLine('OPTIONS sip:remote-target@example.com SIP/2.0\r\n'),
  },
  escruri: { owed: 400, promise: 'refuses headers in the Request-URI (3.1.2.11)' },
  baddate: { owed: 'ok', promise: 'does not read Date, so a zone that is not GMT harms nobody (3.1.2.12)' },
  regbadct: { owed: 400, promise: 'refuses a Contact URI with headers and without <> (3.1.2.13)' },
  badaspec: { owed: 400, promise: 'refuses blanks inside <> (3.1.2.14)' },
  baddn: { owed: 400, promise: 'refuses a comma in an unquoted display name (3.1.2.15)' },
  badvers: { owed: 505, promise: 'refuses another version with 505 (3.1.2.16)' },
  mismatch01: { owed: 400, promise: 'refuses a CSeq with another method (3.1.2.17)' },
  mismatch02: { owed: 400, promise: 'refuses an unknown method with another one in CSeq (3.1.2.18)' },
  bigcode: { owed: 'drop', promise: 'drops a response with a status beyond 699 (3.1.2.19)' },
  badbranch: {
    owed: 'ok',
    promise: 'takes a branch of the bare cookie for none: RFC 2543 matching (3.2.1)',
    check: (message) => {
      const via = parseTopVia(headers(message, 'Via'));
      assert.equal(isUniqueBranch(via && branchOf(via)), false);
    },
  },
  insuf: { owed: 400, promise: 'refuses a request without Call-ID, From and To (3.3.1)' },
  unkscm: { owed: 416, promise: 'refuses an unknown scheme in the Request-URI (3.3.2)' },
  novelsc: { owed: 416, promise: 'refuses a known scheme that is not SIP (3.3.3)' },
  unksm2: {
    owed: 'ok',
    promise: 'reads To, From and Contact of other schemes (3.3.4)',
    check: (message) => {
      assert.equal(parseAddress(value(message, 'To'))?.uri, 'isbn:2983792873');
      assert.equal(parseAddress(value(message, 'From'))?.uri, 'http://www.example.com');
      assert.equal(contactsOf(message)[0]?.uri, 'name:John_Smith');
    },
  },
  bext01: { owed: 420, promise: 'refuses unknown extensions in Require and ignores Proxy-Require (3.3.5)' },
  invut: { owed: 415, promise: 'refuses a content type it does not know (3.3.6)' },
  regaut01: {
    owed: 'ok',
    promise: 'finds no credentials in a scheme it does not know: challenged as without (3.3.7)',
    check: (message) => assert.equal(parseAuthorization(value(message, 'Authorization')), undefined),
  },
  multi01: { owed: 400, promise: 'refuses two values of single headers (3.3.8)' },
  mcl01: { owed: 400, promise: 'refuses two different Content-Lengths (3.3.9)' },
  bcast: { owed: 'drop', promise: 'drops a response whose top Via is not ours (3.3.10)' },
  zeromf: {
    owed: 'ok',
    promise: 'serves a request with Max-Forwards 0 at an endpoint (3.3.11)',
    check: (message) => assert.equal(parseNumber(value(message, 'Max-Forwards')), 0),
  },
  cparam01: {
    owed: 'ok',
    promise: 'gives a parameter behind a bare URI to the header (3.3.12)',
    check: (message) => {
      const [contact] = contactsOf(message);
      assert.deepEqual(contact?.parameters, [{ name: 'unknownparam' }]);
      assert.equal(contact?.uri, 'sip:+19725552222@gw1.example.net');
    },
  },
  cparam02: {
    owed: 'ok',
    promise: 'gives a parameter inside <> to the URI (3.3.13)',
    check: (message) => {
      const [contact] = contactsOf(message);
      assert.deepEqual(contact?.parameters, []);
      assert.deepEqual(parseSipUri(contact?.uri ?? '')?.parameters, [{ name: 'unknownparam' }]);
    },
  },
  regescrt: {
    owed: 'ok',
    promise: 'keeps the headers of a registered URI (3.3.14)',
    check: (message) =>
      assert.deepEqual(parseSipUri(contactsOf(message)[0]?.uri ?? '')?.headers, [
        { name: 'Route', value: '<sip:sip.example.com>' },
      ]),
  },
  sdp01: { owed: 406, promise: 'refuses an INVITE that does not accept SDP (3.3.15)' },
  inv2543: { owed: 'ok', promise: 'serves an INVITE of RFC 2543 (3.4.1)' },
};

function writesPlainStartLine(line: string): (message: SipMessage) => void {
  return (message) => assert.ok(new TextDecoder().decode(serializeMessage(message)).startsWith(line));
}

function owedTo(message: SipMessage): Owed {
  const verdict = message.kind === 'request' ? validateRequest(message, ABILITIES) : validateResponse(message);
  return verdict.kind === 'reject' ? (verdict.status as Owed) : verdict.kind;
}

const skip = present ? false : `no ${FOLDER.pathname}`;

for (const [name, { owed, promise, check }] of Object.entries(CASES))
  test(`RFC 4475 ${name} -> ${owed}: ${promise}`, { skip }, () => {
    const message = messageOf(readFileSync(new URL(`${name}.dat`, FOLDER)));
    assert.equal(owedTo(message), owed);
    check?.(message);
  });

test('RFC 4475: each of the 49 messages has its test', { skip }, () => {
  const names = readdirSync(FOLDER).flatMap((file) => (file.endsWith('.dat') ? [file.slice(0, -4)] : []));
  assert.equal(names.length, 49);
  assert.deepEqual(names.toSorted(), Object.keys(CASES).toSorted());
});

test('RFC 4475 bext01: the 420 names the extensions', { skip }, () => {
  const message = messageOf(readFileSync(new URL('bext01.dat', FOLDER)));
  const verdict = message.kind === 'request' ? validateRequest(message, ABILITIES) : undefined;
  assert.deepEqual(verdict?.kind === 'reject' && verdict.headers, [
    { name: 'Unsupported', value: 'nothingSupportsThis, nothingSupportsThisEither' },
  ]);
});

test('RFC 4475 dblreq on a stream: both requests are taken', { skip }, () => {
  const events = new StreamFramer().push(readFileSync(new URL('dblreq.dat', FOLDER)));
  const methods = events.flatMap((event) =>
    event.kind === 'message' && event.message.kind === 'request' ? [event.message.method] : [],
  );
  assert.deepEqual(methods, ['REGISTER', 'INVITE']);
});

for (const name of ['ncl', 'mcl01', 'inv2543'])
  test(`RFC 4475 ${name} on a stream: the request is answered and the connection closed`, { skip }, () => {
    const bytes = readFileSync(new URL(`${name}.dat`, FOLDER));
    const [event] = new StreamFramer().push(bytes);
    assert.equal(event?.kind, 'bad');
    assert.equal(event?.kind === 'bad' && event.message?.kind === 'request' && owedTo(event.message), 400);
  });
