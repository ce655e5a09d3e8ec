import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { addressesFinding } from './network.ts';

const NONE = { lan: false, phones: [], trunks: [] };
const PHONE = { name: 'alice', password: 'secret' };
const PROVIDER = { name: 'provider', uri: 'sip:sip.provider.example' };
const INSIDE = ['192.168.1.5'];

suite('doctor, of addresses', () => {
  test('says that phones on the network are not served without --lan', () => {
    assert.match(addressesFinding({ ...NONE, phones: [PHONE] }, INSIDE).text, /--lan/);
    assert.equal(addressesFinding({ ...NONE, lan: true, phones: [PHONE] }, INSIDE).level, 'ok');
    assert.equal(addressesFinding({ ...NONE, sip: '192.168.1.5:5060', phones: [PHONE] }, INSIDE).level, 'ok');
    assert.equal(addressesFinding({ ...NONE, lan: true }, []).level, 'warning');
  });

  test('tells a local address that is not this machine’s from a router’s', () => {
    const open = { ...NONE, lan: true };
    assert.equal(addressesFinding({ ...open, advertise: '192.168.1.77' }, INSIDE).level, 'warning');
    assert.equal(addressesFinding({ ...open, advertise: '192.168.1.5' }, INSIDE).level, 'ok');
    assert.equal(addressesFinding({ ...open, advertise: '203.0.113.9' }, INSIDE).level, 'ok');
  });

  test('warns of a trunk outside and a machine behind a NAT that tells its private address', () => {
    const { level, text } = addressesFinding({ ...NONE, lan: true, trunks: [PROVIDER] }, INSIDE);
    assert.equal(level, 'warning');
    assert.match(text, /trunk provider .*advertise/);
    assert.equal(addressesFinding({ ...NONE, lan: true, trunks: [PROVIDER] }, ['203.0.113.9']).level, 'ok');
    const near = { name: 'gateway', uri: 'sip:192.168.1.2:5060;transport=tcp' };
    assert.equal(addressesFinding({ ...NONE, lan: true, trunks: [near] }, INSIDE).level, 'ok');
  });
});
