import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { otherLinesFor, withHosts, withoutHosts } from './hosts-block.ts';

const NAMES = ['api.twilio.com', 'sdk.twilio.com', 'eventgw.twilio.com', 'a.twilio.com', 'b.twilio.com'];

suite('the block in a hosts file', () => {
  test('names stand in it at their address; what others wrote stays before it', () => {
    const text = withHosts('127.0.0.1 localhost', '10.0.0.5', NAMES);
    const [first, mark = '', one, two, end, last] = text.split('\n');
    assert.equal(first, '127.0.0.1 localhost');
    assert.match(mark, /^# .*--uninstall/);
    assert.equal(one, '10.0.0.5 api.twilio.com sdk.twilio.com eventgw.twilio.com a.twilio.com');
    assert.equal(two, '10.0.0.5 b.twilio.com');
    assert.match(end ?? '', /^# /);
    assert.equal(last, '');
  });

  test('a second time changes nothing, another address replaces it, and without it the file is as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[ -~]{0,30}$/)), (lines) => {
        const before = lines.map((line) => `${line}\n`).join('');
        const once = withHosts(before, '10.0.0.5', NAMES);
        assert.equal(withHosts(once, '10.0.0.5', NAMES), once);
        assert.doesNotMatch(withHosts(once, '10.0.0.6', NAMES).slice(before.length), /10\.0\.0\.5/);
        assert.equal(withoutHosts(once), before);
      }),
    );
  });

  test('a block that somebody cut off loses its mark alone', () => {
    const whole = withHosts('', '10.0.0.5', NAMES).split('\n');
    const cut = [...whole.slice(0, 2), '10.9.9.9 printer.lan'].join('\n');
    assert.equal(withoutHosts(cut), [whole[1], '10.9.9.9 printer.lan'].join('\n'));
  });

  test('lines of others that lead a name elsewhere are found', () => {
    const text = withHosts(
      '52.1.1.1\tx.example API.twilio.com # pinned\n# 1.1.1.1 sdk.twilio.com\n',
      '10.0.0.5',
      NAMES,
    );
    assert.deepEqual(otherLinesFor(text, '10.0.0.5', NAMES), ['52.1.1.1\tx.example API.twilio.com # pinned']);
  });
});
