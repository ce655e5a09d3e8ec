import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamConnection } from '../../base/network.ts';
import { header } from '../../wire/sip/message.ts';
import { placeCall } from '../test/call-log.ts';
import { Scene, AGENT } from '../test/scene.ts';

const OPTIONS = (callId: string, extra = ''): string =>
  [
    'OPTIONS sip:10.0.0.1 SIP/2.0',
    'Via: SIP/2.0/TCP 10.0.0.2:5060;branch=z9hG4bK-' + callId,
    'From: <sip:a@10.0.0.2>;tag=1',
    'To: <sip:10.0.0.1>',
    `Call-ID: ${callId}`,
    'CSeq: 1 OPTIONS',
    `${extra}Content-Length: 0`,
    '',
    '',
  ].join('\r\n');

interface TcpPeer {
  readonly connection: StreamConnection;
  readonly text: () => string;
  readonly isClosed: () => boolean;
  send(text: string): void;
}

async function connect(scene: Scene, address = '10.0.0.2', network = scene.network.host(address)): Promise<TcpPeer> {
  const pending = network.connect(AGENT, { timeoutMs: 1_000 });
  await scene.advance(10);
  const connection = await pending;
  let text = '';
  let closed = false;
  connection.onData((bytes) => (text += new TextDecoder().decode(bytes)));
  connection.onClose(() => (closed = true));
  const send = (data: string): void => void connection.write(new TextEncoder().encode(data));
  return { connection, text: () => text, isClosed: () => closed, send };
}

test('messages over a stream are answered on it however they are cut, and keep-alives too', async (t) => {
  const scene = new Scene(t);
  await scene.open();
  const peer = await connect(scene);
  const both = OPTIONS('one') + OPTIONS('two');
  peer.send(both.slice(0, 100));
  await scene.advance(10);
  peer.send(both.slice(100));
  await scene.advance(10);
  assert.equal(peer.text().match(/SIP\/2\.0 200 OK/g)?.length, 2);
  peer.send('\r\n\r\n');
  await scene.advance(10);
  assert.ok(peer.text().endsWith('\r\n\r\n\r\n'));
});

test('a stream without Content-Length gets 400 and is closed', async (t) => {
  const scene = new Scene(t);
  await scene.open();
  const peer = await connect(scene);
  peer.send(OPTIONS('bad').replace('Content-Length: 0\r\n', ''));
  await scene.advance(10);
  assert.match(peer.text(), /^SIP\/2\.0 400 /);
  assert.ok(peer.isClosed());
});

test('a peer that never ends its message, or never begins one, is cut', async (t) => {
  const scene = new Scene(t);
  await scene.open();
  const network = scene.network.host('10.0.0.2');
  const slow = await connect(scene, '10.0.0.2', network);
  const silent = await connect(scene, '10.0.0.2', network);
  const good = await connect(scene, '10.0.0.2', network);
  good.send(OPTIONS('fine'));
  for (let index = 0; index < 30; index += 1) {
    slow.send(OPTIONS('slow')[index] ?? '');
    await scene.advance(1_000);
  }
  assert.ok(slow.isClosed());
  assert.ok(silent.isClosed());
  assert.ok(!good.isClosed());
});

test('keep-alives alone hold no connection; messages that follow each other without a pause do', async (t) => {
  const scene = new Scene(t);
  await scene.open();
  const network = scene.network.host('10.0.0.2');
  const [pinging, busy] = [await connect(scene, '10.0.0.2', network), await connect(scene, '10.0.0.2', network)];
  let rest = '';
  for (let second = 0; second < 30; second += 1) {
    pinging.send('\r\n\r\n');
    // Each chunk ends in the middle of a message.
    const next = OPTIONS(`busy${second}`);
    busy.send(rest + next.slice(0, 40));
    rest = next.slice(40);
    await scene.advance(1_000);
  }
  assert.equal(pinging.isClosed(), true);
  assert.equal(busy.isClosed(), false);
});

test('one address may open only so many connections', async (t) => {
  const scene = new Scene(t);
  const streams = { maxConnections: 10, maxPerSource: 2, connectTimeoutMs: 1_000 };
  await scene.open({ limits: { streams } });
  const network = scene.network.host('10.0.0.2');
  const peers = [
    await connect(scene, '', network),
    await connect(scene, '', network),
    await connect(scene, '', network),
  ];
  peers.push(await connect(scene, '10.0.0.3'));
  peers.forEach((peer, index) => peer.send(OPTIONS(`limit${index}`)));
  await scene.advance(10);
  assert.deepEqual(
    peers.map((peer) => peer.text() !== ''),
    [true, true, false, true],
  );
});

test('a response whose connection is gone goes to the port of its Via over a new one', async (t) => {
  const scene = new Scene(t);
  const agent = await scene.open();
  agent.onMessage(
    () =>
      new Promise((resolve) => {
        scene.clock.at(scene.clock.now() + 1_000, () => resolve(200));
      }),
  );
  const network = scene.network.host('10.0.0.2');
  const listener = await network.listen({ address: '10.0.0.2', port: 5060 });
  let text = '';
  listener.onConnection((connection) => connection.onData((bytes) => (text += new TextDecoder().decode(bytes))));
  const peer = await connect(scene, '', network);
  peer.send(OPTIONS('later').replaceAll('OPTIONS', 'MESSAGE'));
  await scene.advance(100);
  peer.connection.destroy();
  await scene.advance(2_000);
  assert.match(text, /^SIP\/2\.0 200 OK/);
});

test('a socket on every address writes the one that faces the peer', async (t) => {
  const scene = new Scene(t);
  await scene.open({ listen: { address: '0.0.0.0', port: 5060 } });
  const peer = await scene.peer();
  peer.ask('OPTIONS');
  await scene.advance(10);
  const [response] = peer.responses('OPTIONS');
  assert.equal(response && header(response, 'Contact'), '<sip:tandem@10.0.0.1:5060>');
});

test('an advertised address is written instead', async (t) => {
  const scene = new Scene(t);
  await scene.open({ advertise: '203.0.113.5' });
  const peer = await scene.peer();
  peer.ask('OPTIONS');
  await scene.advance(10);
  const [response] = peer.responses('OPTIONS');
  assert.equal(response && header(response, 'Contact'), '<sip:tandem@203.0.113.5:5060>');
});

test('UDP and TCP share one free port', async (t) => {
  const scene = new Scene(t);
  const { addresses } = await scene.open({ listen: { address: '10.0.0.1', port: 0 } });
  assert.equal(addresses.udp.port, addresses.tcp.port);
});

test('a request that is too large for a datagram goes over TCP, and over UDP where that is refused', async (t) => {
  const scene = new Scene(t);
  await scene.open();
  const peer = await scene.peer();
  const large = 'x'.repeat(1_300);
  placeCall(scene, peer.uri, { headers: [{ name: 'X-Large', value: large }] });
  await scene.advance(100);
  assert.match(header(peer.request('INVITE'), 'Via') ?? '', /^SIP\/2\.0\/UDP /);
  const listener = await peer.network.listen(peer.endpoint);
  let text = '';
  listener.onConnection((connection) => connection.onData((bytes) => (text += new TextDecoder().decode(bytes))));
  placeCall(scene, peer.uri, { headers: [{ name: 'X-Large', value: large }] });
  await scene.advance(100);
  assert.match(text, /^INVITE .*\r\nVia: SIP\/2\.0\/TCP /);
});

test('whoever looks on sees every message as it stands on the wire, both ways, over UDP and TCP', async (t) => {
  const scene = new Scene(t);
  const seen: string[] = [];
  await scene.open({
    watch: ({ direction, remote, text }) => {
      const [first = '', ...lines] = text().split('\r\n');
      const callId = lines.find((line) => line.startsWith('Call-ID: ')) ?? '';
      seen.push(`${direction} ${remote.address} ${first} ${callId}`);
    },
  });
  const peer = await connect(scene);
  peer.send(OPTIONS('over-tcp'));
  await scene.advance(10);
  const phone = await scene.network.host('10.0.0.3').bindDatagram({ address: '10.0.0.3', port: 5060 });
  phone.send(new TextEncoder().encode(OPTIONS('over-udp').replaceAll('TCP 10.0.0.2', 'UDP 10.0.0.3')), AGENT);
  await scene.advance(10);
  assert.deepEqual(seen, [
    'in 10.0.0.2 OPTIONS sip:10.0.0.1 SIP/2.0 Call-ID: over-tcp',
    'out 10.0.0.2 SIP/2.0 200 OK Call-ID: over-tcp',
    'in 10.0.0.3 OPTIONS sip:10.0.0.1 SIP/2.0 Call-ID: over-udp',
    'out 10.0.0.3 SIP/2.0 200 OK Call-ID: over-udp',
  ]);
});
