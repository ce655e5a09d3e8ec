import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { parseTwiml } from '../../wire/twiml/parse.ts';
import { validateTwiml } from '../../wire/twiml/verbs.ts';
import { dial, dialled, pressed, welcome } from './own-twiml.ts';

const FACTS = { homeDomain: 'home.tandem', callerId: '+12025550100', isPhone: false };

/** The verbs of a document that must be right. */
function verbsOf(twiml: string) {
  const parsed = parseTwiml(twiml, 'text/xml');
  assert.ok(parsed.kind === 'ok');
  const { verbs, warnings, error } = validateTwiml(parsed.document);
  assert.deepEqual([warnings, error], [[], undefined]);
  return verbs;
}

/** Noun and text of what is dialled. */
function dialledBy(to: string, facts: Partial<typeof FACTS> = {}): readonly string[] | undefined {
  const [verb] = verbsOf(dial(to, { ...FACTS, ...facts }));
  if (verb?.kind !== 'dial') return undefined;
  return verb.element.children.map(({ name, text }) => `${name} ${text}`);
}

suite("the server's own TwiML", () => {
  test('dials numbers, addresses, browsers, and phones by their name', () => {
    assert.deepEqual(dialledBy('+1 202 555 0199'), ['Number +12025550199']);
    assert.deepEqual(dialledBy('sip:bob@192.0.2.7'), ['Sip sip:bob@192.0.2.7']);
    assert.deepEqual(dialledBy('client:jenny'), ['Client jenny']);
    assert.deepEqual(dialledBy('jenny'), ['Client jenny']);
    assert.deepEqual(dialledBy(' alice ', { isPhone: true }), ['Sip sip:alice@home.tandem']);
    assert.equal(dialledBy(''), undefined);
  });

  test('says what was pressed, key by key', () => {
    const [gather] = verbsOf(pressed('5*#'));
    assert.ok(gather?.kind === 'gather');
    assert.deepEqual(gather.prompts[0], {
      ...gather.prompts[0],
      parts: [{ kind: 'text', text: 'You pressed 5 star pound. Press another key, or hang up.' }],
    });
  });

  test('says why a call did not come about, and nothing when it did', () => {
    assert.deepEqual(
      verbsOf(dialled('busy')).map(({ kind }) => kind),
      ['say', 'hangup'],
    );
    assert.deepEqual(
      verbsOf(dialled('completed')).map(({ kind }) => kind),
      ['hangup'],
    );
  });

  test('is well formed whatever was typed, and never dials more than one', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('<', '&', '"', '>', 'a', ':', '@') })),
        (text) => {
          for (const document of [dial(text, FACTS), pressed(text), dialled(text), welcome()]) {
            const parsed = parseTwiml(document, 'text/xml');
            assert.ok(parsed.kind === 'ok', document);
            assert.ok(!document.includes('<Dial') || parsed.document.root.children[0]?.children.length === 1);
          }
        },
      ),
    );
  });
});
