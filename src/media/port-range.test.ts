import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MediaError } from './media-error.ts';
import { PortAllocator } from './port-range.ts';
import { MemoryDatagrams } from './test/memory-datagrams.ts';

const ADDRESS = '127.0.0.1';

describe('pairs of RTP ports', () => {
  it('puts RTP on an even port and RTCP on the next, whatever the range begins with', async () => {
    const ports = new PortAllocator(new MemoryDatagrams(), { low: 20_001, high: 20_005 });
    const [first, second] = [await ports.open(ADDRESS), await ports.open(ADDRESS)];
    assert.deepEqual([first.rtp.local.port, first.rtcp.local.port], [20_002, 20_003]);
    assert.deepEqual([second.rtp.local.port, second.rtcp.local.port], [20_004, 20_005]);
  });

  it('passes over a pair of which another program holds one port', async () => {
    const network = new MemoryDatagrams();
    await network.bindDatagram({ address: ADDRESS, port: 20_001 });
    const ports = new PortAllocator(network, { low: 20_000, high: 20_003 });
    assert.equal((await ports.open(ADDRESS)).rtp.local.port, 20_002);
    await network.bindDatagram({ address: ADDRESS, port: 20_000 });
  });

  it('says no-ports when all are taken, and hands a closed pair out again', async () => {
    const ports = new PortAllocator(new MemoryDatagrams(), { low: 20_000, high: 20_003 });
    const first = await ports.open(ADDRESS);
    await ports.open(ADDRESS);
    await assert.rejects(ports.open(ADDRESS), (error) => error instanceof MediaError && error.code === 'no-ports');
    await ports.close(first);
    assert.equal((await ports.open(ADDRESS)).rtp.local.port, 20_000);
  });

  it('uses the ports in turn, so that a new call does not get the packets of the one before', async () => {
    const ports = new PortAllocator(new MemoryDatagrams(), { low: 20_000, high: 20_005 });
    const first = await ports.open(ADDRESS);
    await ports.close(first);
    assert.equal((await ports.open(ADDRESS)).rtp.local.port, 20_002);
  });

  it('refuses a range without a pair', () => {
    for (const range of [
      { low: 20_001, high: 20_002 },
      { low: 30_000, high: 20_000 },
      { low: 65_534, high: 65_536 },
    ]) {
      assert.throws(() => new PortAllocator(new MemoryDatagrams(), range), RangeError);
    }
  });
});
