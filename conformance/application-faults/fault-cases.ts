import { gzipSync } from 'node:zlib';
import { MP3 } from '../../src/media/mp3.fixture.ts';
import { MAX_SOUND_BYTES } from '../../src/comms/webhooks.ts';
import { MAX_TWIML_CHARS, MAX_TWIML_DEPTH, MAX_TWIML_ELEMENTS } from '../../src/wire/twiml/parse.ts';
import { MAX_SAY_CHARS } from '../../src/wire/twiml/verbs.ts';
import { xml, type Answer } from './hostile-application.ts';

/** One way in which an application fails, and the one number under which it is told. */
export interface FaultCase {
  /** As it stands in the table of docs/faults.md. */
  readonly name: string;
  readonly code: number;
  /** Where it fails: the answer does not come, the document cannot be used, the sound of a Play cannot be used. */
  readonly where: 'transport' | 'document' | 'sound';
  /** A warning: the flow goes on, unless nothing is left that could be heard. */
  readonly warning?: true;
  /** Asked a second time before it counts. */
  readonly retried?: true;
  /** What is behind the URL. */
  readonly answer?: Answer;
  /** The URL, where it is not one of the application. */
  readonly url?: (origin: string) => string;
}

const BOMB_BYTES = MAX_SOUND_BYTES + 1024 * 1024;
const DRIP_MS = 50;
const SAY = '<Response><Say>hello</Say></Response>';
const GZIPPED = { 'content-encoding': 'gzip' };

const status =
  (code: number): Answer =>
  (_, response) =>
    void response.writeHead(code, { 'content-type': 'text/plain' }).end('no');

const sound =
  (body: Uint8Array, type = 'audio/wav'): Answer =>
  (_, response) =>
    void response.writeHead(200, { 'content-type': type }).end(body);

const drip: Answer = (_, response) => {
  response.writeHead(200, { 'content-type': 'text/xml' });
  const timer = setInterval(() => response.write(' '), DRIP_MS);
  response.once('close', () => clearInterval(timer));
};

const halfABody: Answer = (_, response) => {
  response.writeHead(200, { 'content-type': 'text/xml', 'content-length': '1000' });
  response.write('<Response><Say>');
};

const cutBody: Answer = (_, response) => {
  response.writeHead(200, { 'content-type': 'text/xml', 'content-length': '1000' });
  response.write('<Response><Say>', () => response.destroy());
};

const noHttp: Answer = (request) => void request.socket.end('220 mail ready\r\n');
const reset: Answer = (request) => void request.socket.resetAndDestroy();
const circle: Answer = (request, response) => void response.writeHead(301, { location: request.url ?? '' }).end();

const TRANSPORT: readonly FaultCase[] = [
  { name: 'status 404', code: 11200, where: 'transport', answer: status(404) },
  { name: 'status 500', code: 11200, where: 'transport', answer: status(500) },
  { name: 'no answer in time: it hangs before the headers', code: 11200, where: 'transport', answer: () => undefined },
  { name: 'no answer in time: it hangs in the middle of the body', code: 11200, where: 'transport', answer: halfABody },
  { name: 'no answer in time: the body drips without end', code: 11200, where: 'transport', answer: drip },
  { name: 'a target that must not be reached', code: 11200, where: 'transport', url: () => 'http://169.254.169.254/' },
  { name: 'connection reset', code: 11205, where: 'transport', retried: true, answer: reset },
  { name: 'connection refused', code: 11205, where: 'transport', url: () => 'http://127.0.0.1:1/' },
  { name: 'what answers speaks no HTTP', code: 11206, where: 'transport', answer: noHttp },
  { name: 'the body is cut off', code: 11206, where: 'transport', answer: cutBody },
  {
    name: 'compressed, and cut off',
    code: 11206,
    where: 'transport',
    answer: xml(gzipSync(SAY).subarray(0, -6), GZIPPED),
  },
  {
    name: 'a compression that is not known',
    code: 11206,
    where: 'transport',
    answer: xml('x', { 'content-encoding': 'zip' }),
  },
  { name: 'a host name that is not known', code: 11210, where: 'transport', url: () => 'http://no-such-host.invalid/' },
  { name: 'redirects (301) in a circle', code: 11215, where: 'transport', answer: circle },
  {
    name: 'the TLS handshake fails',
    code: 11220,
    where: 'transport',
    url: (origin) => origin.replace('http:', 'https:'),
  },
];

const nested = (levels: number): string => '<a>'.repeat(levels) + '</a>'.repeat(levels);
const ENTITIES =
  '<!DOCTYPE r [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><Response><Say>&c;</Say></Response>';

const DOCUMENTS: readonly FaultCase[] = [
  {
    name: 'larger than 64 kB',
    code: 11750,
    where: 'document',
    answer: xml(`<Response>${' '.repeat(MAX_TWIML_CHARS)}</Response>`),
  },
  {
    name: 'compressed, and huge when it is not (a bomb)',
    code: 11750,
    where: 'document',
    answer: xml(gzipSync(Buffer.alloc(BOMB_BYTES)), GZIPPED),
  },
  {
    name: `more than ${MAX_TWIML_ELEMENTS} elements`,
    code: 11750,
    where: 'document',
    answer: xml(`<Response>${'<Pause/>'.repeat(MAX_TWIML_ELEMENTS)}</Response>`),
  },
  {
    name: `deeper than ${MAX_TWIML_DEPTH} elements`,
    code: 11750,
    where: 'document',
    answer: xml(`<Response>${nested(MAX_TWIML_DEPTH)}</Response>`),
  },
  { name: 'an empty body', code: 11770, where: 'document', answer: xml('') },
  { name: 'nothing but white space', code: 11770, where: 'document', answer: xml(' \r\n ') },
  {
    name: 'XML that is not well formed',
    code: 12100,
    where: 'document',
    answer: xml('<Response><Say>hello</Response>'),
  },
  { name: 'XML that ends too early', code: 12100, where: 'document', answer: xml('<Response><Say>hello') },
  { name: 'entities of its own (a document type)', code: 12100, where: 'document', answer: xml(ENTITIES) },
  {
    name: 'an entity that is not known',
    code: 12100,
    where: 'document',
    answer: xml('<Response><Say>&nbsp;</Say></Response>'),
  },
  {
    name: 'bytes that are not UTF-8, and no other charset named',
    code: 12100,
    where: 'document',
    answer: xml(Buffer.from('<Response><Say>caf\u00e9</Say></Response>', 'latin1')),
  },
  {
    name: 'UTF-8 named as UTF-16 in the content type',
    code: 12100,
    where: 'document',
    answer: xml(SAY, { 'content-type': 'text/xml; charset=utf-16' }),
  },
  {
    name: 'UTF-8 named as UTF-16 in the XML declaration',
    code: 12100,
    where: 'document',
    answer: xml(`<?xml version="1.0" encoding="utf-16"?>${SAY}`),
  },
  {
    name: 'a charset that nobody knows',
    code: 12100,
    where: 'document',
    answer: xml(SAY, { 'content-type': 'text/xml; charset=klingon' }),
  },
  { name: 'XML of version 1.1', code: 12101, where: 'document', answer: xml(`<?xml version="1.1"?>${SAY}`) },
  {
    name: 'a root that is not Response',
    code: 12102,
    where: 'document',
    answer: xml('<response><Say>hello</Say></response>'),
  },
  {
    name: 'nothing but a verb that is not known',
    code: 12200,
    where: 'document',
    answer: xml('<Response><Speak>hello</Speak></Response>'),
  },
  {
    name: 'a Say inside a Say',
    code: 12200,
    where: 'document',
    answer: xml('<Response><Say>one <Say>two</Say></Say></Response>'),
  },
  {
    name: 'a content type that is no TwiML',
    code: 12300,
    where: 'document',
    answer: xml('%PDF', { 'content-type': 'application/pdf' }),
  },
  {
    name: 'a sound as the answer that is none',
    code: 12300,
    where: 'document',
    answer: sound(Buffer.from('no sound at all')),
  },
  {
    name: `a Say of more than ${MAX_SAY_CHARS} characters`,
    code: 13521,
    where: 'document',
    answer: xml(`<Response><Say>${'a '.repeat(MAX_SAY_CHARS / 2)}a</Say></Response>`),
  },
  {
    name: 'a Redirect that leads to itself',
    code: 11215,
    where: 'document',
    answer: (request, response) =>
      xml(`<Response><Redirect>${request.url ?? ''}</Redirect></Response>`)(request, response),
  },
  {
    name: 'a verb that is not known, among others',
    code: 12200,
    where: 'document',
    warning: true,
    answer: xml('<Response><Speak>hello</Speak><Say>the rest is run</Say></Response>'),
  },
  {
    name: 'an attribute that is not known',
    code: 12200,
    where: 'document',
    warning: true,
    answer: xml('<Response><Say volume="9">the rest is run</Say></Response>'),
  },
];

const WAV_HEADER = Buffer.from(
  '524946462400000057415645666d74201000000001000100401f0000803e0000020010006461746100000000',
  'hex',
);

const SOUNDS: readonly FaultCase[] = [
  { name: 'status 404', code: 11200, where: 'sound', answer: status(404) },
  { name: 'no answer in time', code: 11200, where: 'sound', answer: () => undefined },
  { name: 'larger than 16 MB', code: 11751, where: 'sound', answer: sound(Buffer.alloc(BOMB_BYTES)) },
  { name: 'another content type', code: 13420, where: 'sound', warning: true, answer: xml(SAY) },
  { name: 'an empty body', code: 13420, where: 'sound', warning: true, answer: sound(new Uint8Array(0)) },
  {
    name: 'neither WAV nor MP3',
    code: 13420,
    where: 'sound',
    warning: true,
    answer: sound(Buffer.from('OggS and so on')),
  },
  { name: 'a WAV without a sound in it', code: 13420, where: 'sound', warning: true, answer: sound(WAV_HEADER) },
  {
    name: 'a WAV whose format is broken',
    code: 13420,
    where: 'sound',
    warning: true,
    answer: sound(Buffer.concat([Buffer.from(WAV_HEADER).fill(0xee, 20, 24), Buffer.alloc(8000)])),
  },
  {
    name: 'an MP3 without a frame that can be read',
    code: 13420,
    where: 'sound',
    warning: true,
    answer: sound(
      Buffer.concat([Buffer.from('ID3\x03\0\0\0\0\0\0', 'latin1'), MP3.map((byte) => byte ^ 0x55)]),
      'audio/mpeg',
    ),
  },
];

export const FAULT_CASES: readonly FaultCase[] = [...TRANSPORT, ...DOCUMENTS, ...SOUNDS];
