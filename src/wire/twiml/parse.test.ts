import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { decodeTwiml } from './decode.ts';
import { MAX_TWIML_DEPTH, MAX_TWIML_ELEMENTS, parseTwiml } from './parse.ts';
import { validateTwiml } from './verbs.ts';

const nested = (depth: number): string => '<a>'.repeat(depth) + '</a>'.repeat(depth);

suite('parseTwiml', () => {
  const bad: readonly (readonly [string, string, string | undefined, number])[] = [
    ['an unclosed element', '<Response><Say>', 'text/xml', 12100],
    ['text without an element', 'hello', 'text/xml', 12100],
    ['two roots', '<Response/><Response/>', 'text/xml', 12100],
    ['an attribute twice', '<Response a="1" a="2"/>', 'text/xml', 12100],
    ['an unquoted attribute', '<Response a=1/>', 'text/xml', 12100],
    ['a bare ampersand', '<Response><Play>http://a/?b&c</Play></Response>', 'text/xml', 12100],
    ['an unknown entity', '<Response>&nbsp;</Response>', 'text/xml', 12100],
    ['a control character', '<Response>\u0000</Response>', 'text/xml', 12100],
    ['an entity of its own', '<!DOCTYPE r [<!ENTITY a "b">]><Response>&a;</Response>', 'text/xml', 12100],
    ['a web page', '<!DOCTYPE html><html></html>', 'text/html', 12100],
    ['XML 1.1', '<?xml version="1.1"?><Response/>', 'text/xml', 12101],
    ['another root', '<html/>', 'text/html', 12102],
    ['a root in lower case', '<response/>', 'text/xml', 12102],
    ['JSON', '{"say":"hello"}', 'application/json', 12300],
    ['text without a type', 'hello', undefined, 12300],
    ['a picture', 'x', 'image/png', 12300],
    ['too many characters', `<Response>${' '.repeat(65_536)}</Response>`, 'text/xml', 11750],
    ['too deep a nesting', `<Response>${nested(MAX_TWIML_DEPTH)}</Response>`, 'text/xml', 11750],
    ['too many elements', `<Response>${'<a/>'.repeat(MAX_TWIML_ELEMENTS)}</Response>`, 'text/xml', 11750],
  ];
  for (const [name, text, type, code] of bad) {
    test(`refuses ${name} with ${code}`, () => {
      const parsed = parseTwiml(text, type);
      assert.equal(parsed.kind === 'bad' && parsed.problem.code, code);
      assert.equal(parsed.kind === 'bad' && parsed.problem.level, 'error');
    });
  }

  const good: readonly (readonly [string, string, string | undefined])[] = [
    ['a blank line before the declaration', '\n<?xml version="1.0" encoding="UTF-8"?><Response/>', 'text/xml'],
    ['a byte order mark', '\uFEFF<Response/>', 'application/xml'],
    ['a charset in the type', '<Response/>', 'Text/XML; charset=utf-8'],
    ['no content type', ' <Response/>', undefined],
    ['a type of the XML family', '<Response/>', 'application/vnd.x+xml'],
    ['the deepest nesting', `<Response>${nested(MAX_TWIML_DEPTH - 1)}</Response>`, 'text/xml'],
  ];
  for (const [name, text, type] of good) {
    test(`takes ${name}`, () => assert.equal(parseTwiml(text, type).kind, 'ok'));
  }

  test('keeps names, attributes, mixed content and lines', () => {
    const parsed = parseTwiml('<Response>\n  <Say voice="man">one &amp; <break/>two<![CDATA[ <3]]></Say>\n</Response>');
    assert.ok(parsed.kind === 'ok');
    const say = parsed.document.root.children[0];
    assert.ok(say);
    assert.equal(say.name, 'Say');
    assert.deepEqual(say.attributes, { voice: 'man' });
    assert.equal(say.line, 2);
    assert.equal(say.text, 'one & two <3');
    assert.deepEqual(
      say.content.map((piece) => (typeof piece === 'string' ? piece : piece.name)),
      ['one & ', 'break', 'two', ' <3'],
    );
  });

  test('reads plain text aloud', () => {
    const parsed = parseTwiml('hello <world>', 'text/plain');
    assert.ok(parsed.kind === 'ok');
    const [verb] = validateTwiml(parsed.document).verbs;
    assert.deepEqual(verb?.kind === 'say' && verb.parts, [{ kind: 'text', text: 'hello <world>' }]);
  });

  test('names the line of a mistake', () => {
    const parsed = parseTwiml('<Response>\n<Say>a</Say>\n<Play>b</Say>\n</Response>');
    assert.ok(parsed.kind === 'bad');
    assert.match(parsed.problem.message, /^line 3: /);
  });
});

suite('decodeTwiml', () => {
  const bytes = (text: string, encoding: BufferEncoding): Uint8Array => new Uint8Array(Buffer.from(text, encoding));

  test('follows the content type, the declaration and the byte order mark', () => {
    const cases: readonly (readonly [Uint8Array, string])[] = [
      [bytes('café', 'utf8'), 'text/xml'],
      [bytes('café', 'latin1'), 'text/xml; charset=ISO-8859-1'],
      [bytes('\uFEFFcafé', 'utf16le'), 'text/xml; charset=utf-8'],
    ];
    for (const [body, type] of cases) {
      const decoded = decodeTwiml(body, type);
      assert.equal(decoded.kind === 'ok' && decoded.text, 'café');
    }
    const declared = decodeTwiml(bytes('<?xml version="1.0" encoding="iso-8859-1"?><R>é</R>', 'latin1'));
    assert.ok(declared.kind === 'ok' && declared.text.endsWith('<R>é</R>'));
  });

  test('refuses bytes that are not of the charset, and an unknown charset, with 12100', () => {
    for (const type of ['text/xml; charset=utf-8', 'text/xml; charset=klingon']) {
      const decoded = decodeTwiml(bytes('<Response><Say>café</Say></Response>', 'latin1'), type);
      assert.equal(decoded.kind === 'bad' && decoded.problem.code, 12100);
    }
  });
});

suite('properties', () => {
  const name = fc.constantFrom(
    'Response',
    'Say',
    'Play',
    'Gather',
    'Dial',
    'Number',
    'Record',
    'break',
    'p',
    'x',
    'Pause',
  );
  const attribute = fc.tuple(
    fc.constantFrom('loop', 'timeout', 'action', 'numDigits', '__proto__', 'constructor', 'xmlns', 'time', 'length'),
    fc.oneof(fc.string(), fc.constantFrom('0', '-1', '1e9', 'true', '5s')),
  );
  const escape = (text: string): string => text.replace(/[^ -~]|[<>&"']/g, '');
  const { element } = fc.letrec<{ element: string; content: string }>((tie) => ({
    element: fc
      .tuple(name, fc.uniqueArray(attribute, { maxLength: 3, selector: ([key]) => key }), tie('content'))
      .map(([tag, attributes, content]) => {
        const written = attributes.map(([key, value]) => ` ${key}="${escape(value)}"`).join('');
        return `<${tag}${written}>${content}</${tag}>`;
      }),
    content: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.string().map(escape),
      fc.array(tie('element'), { maxLength: 4 }).map((parts) => parts.join('')),
    ),
  }));

  test('parsing and validating never throw, whatever the markup', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          element,
          fc.string(),
          fc.array(element).map((all) => `<Response>${all.join('')}</Response>`),
        ),
        (text) => {
          const parsed = parseTwiml(text, 'text/xml');
          if (parsed.kind === 'ok') validateTwiml(parsed.document);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a valid document with bytes changed is read or refused, never thrown', () => {
    const valid =
      '<?xml version="1.0"?><Response><Gather numDigits="1"><Say loop="2">a&amp;b</Say></Gather></Response>';
    const change = fc.tuple(
      fc.nat(valid.length),
      fc.constantFrom('<', '>', '&', '"', '', '/', '\u0000', '\ud800', ']]>'),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 5 }), (changes) => {
        let text = valid;
        for (const [at, sign] of changes) text = text.slice(0, at) + sign + text.slice(at + 1);
        const parsed = parseTwiml(text, 'text/xml');
        if (parsed.kind === 'ok') validateTwiml(parsed.document);
      }),
      { numRuns: 500 },
    );
  });
});
