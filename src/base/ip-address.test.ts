import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { embeddedV4, formatIpAddress, inIpRange, parseIpAddress, parseIpRange } from './ip-address.ts';

const parsed = (text: string): readonly number[] => parseIpAddress(text) ?? assert.fail(`${text} was not parsed`);

describe('parseIpAddress', () => {
  it('takes the usual forms', () => {
    const forms: readonly (readonly [string, string])[] = [
      ['192.0.2.1', '192.0.2.1'],
      ['::', '0:0:0:0:0:0:0:0'],
      ['::1', '0:0:0:0:0:0:0:1'],
      ['2001:db8::', '2001:db8:0:0:0:0:0:0'],
      ['FE80::1%eth0', 'fe80:0:0:0:0:0:0:1'],
      ['::ffff:192.0.2.1', '0:0:0:0:0:ffff:c000:201'],
      ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
      ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ];
    for (const [text, full] of forms) assert.equal(formatIpAddress(parsed(text)), full);
  });

  it('refuses every other form', () => {
    const bad = [
      '',
      'localhost',
      '1.2.3',
      '1.2.3.4.5',
      '01.2.3.4',
      '256.1.1.1',
      '0x7f.1.1.1',
      '1.2.3.4 ',
      ':',
      ':::',
      '1::2::3',
    ];
    const bad6 = [
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7:8::',
      '12345::',
      'g::',
      '1.2.3.4::',
      '::1.2.3',
      '[::1]',
    ];
    for (const text of [...bad, ...bad6]) assert.equal(parseIpAddress(text), undefined, text);
  });

  it("agrees with Node's judgement on any text", () => {
    const text = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.string({ unit: fc.constantFrom(...'0123456789abf:.'), maxLength: 40 }),
    );
    fc.assert(fc.property(text, (one) => assert.equal(parseIpAddress(one) !== undefined, isIP(one) !== 0, one)));
  });
});

describe('ranges', () => {
  it('hold what begins with their bits', () => {
    const cases: readonly (readonly [string, string, boolean])[] = [
      ['10.0.0.0/8', '10.255.0.1', true],
      ['10.0.0.0/8', '11.0.0.0', false],
      ['172.16.0.0/12', '172.31.255.255', true],
      ['172.16.0.0/12', '172.32.0.0', false],
      ['192.0.2.7', '192.0.2.7', true],
      ['192.0.2.7', '192.0.2.6', false],
      ['0.0.0.0/0', '203.0.113.1', true],
      ['0.0.0.0/0', '::1', false],
      ['fe80::/10', 'febf::1', true],
      ['fe80::/10', 'fec0::1', false],
    ];
    for (const [range, address, inside] of cases) {
      const one = parseIpRange(range) ?? assert.fail(range);
      assert.equal(inIpRange(one, parsed(address)), inside, `${range} ${address}`);
    }
  });

  it('of another form are refused', () => {
    for (const text of ['10.0.0.0/33', '::/129', '10/8', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/8/8', 'x/8', '']) {
      assert.equal(parseIpRange(text), undefined, text);
    }
  });
});

describe('embeddedV4', () => {
  it('finds the address behind each kind of tunnel and translation', () => {
    const forms: readonly (readonly [string, string | undefined])[] = [
      ['::ffff:169.254.169.254', '169.254.169.254'],
      ['::ffff:a9fe:a9fe', '169.254.169.254'],
      ['::169.254.169.254', '169.254.169.254'],
      ['64:ff9b::169.254.169.254', '169.254.169.254'],
      ['64:ff9b:1::a9fe:a9fe', '169.254.169.254'],
      ['2002:a9fe:a9fe::1', '169.254.169.254'],
      ['2001:0:1:2:3:4:5601:5601', '169.254.169.254'],
      ['::1', undefined],
      ['::', undefined],
      ['2001:db8::1', undefined],
      ['10.0.0.1', undefined],
    ];
    for (const [text, v4] of forms) {
      const found = embeddedV4(parsed(text));
      assert.equal(found && formatIpAddress(found), v4, text);
    }
  });
});
