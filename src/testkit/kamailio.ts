import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunningProcess } from './child-process.ts';
import { peer } from './peers.ts';
import { claimPorts } from './port-block.ts';
import { atEnd, type Scope } from './scope.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A registrar and proxy that demands digest authentication; the password of user U is `pwU`. */
export interface Kamailio {
  /** HOST:PORT, UDP and TCP. */
  readonly address: string;
  readonly process: RunningProcess;
}

const REALM = '127.0.0.1';
const ASK_EVERY_MS = 50;
const READY_WITHIN_MS = 10_000;

export async function startKamailio(scope: Scope): Promise<Kamailio> {
  const folder = temporaryFolder(scope, 'kamailio');
  const { first } = await claimPorts(scope);
  const address = `127.0.0.1:${first}`;
  const path = join(folder, 'kamailio.cfg');
  writeFileSync(path, configText(address, folder));
  const args = ['-DD', '-E', '-f', path, '-m', '128', '-M', '16', '-Y', folder, '-w', folder];
  const running = RunningProcess.start(peer('kamailio').path, args);
  // Asked to end at a bad moment it waits for its children for a minute.
  atEnd(scope, async () => void (await running.end('SIGKILL')));
  await answersOptions(first).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${running.output()}`, { cause: error });
  });
  return { address, process: running };
}

/** Kamailio says nothing when it is ready: it is asked until it answers. */
async function answersOptions(port: number): Promise<void> {
  const socket = createSocket('udp4');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('message', () => resolve());
  // Before Kamailio listens, the kernel refuses the datagram.
  socket.on('error', () => undefined);
  await new Promise<void>((bound) => socket.bind(0, '127.0.0.1', bound));
  const ask = (): void => socket.send(optionsRequest(port, socket.address().port), port, '127.0.0.1');
  const asking = setInterval(ask, ASK_EVERY_MS);
  const late = setTimeout(() => reject(new Error(`no answer to OPTIONS from port ${port}`)), READY_WITHIN_MS);
  try {
    ask();
    await promise;
  } finally {
    clearInterval(asking);
    clearTimeout(late);
    socket.close();
  }
}

function optionsRequest(to: number, from: number): string {
  return [
    `OPTIONS sip:127.0.0.1:${to} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${from};branch=z9hG4bK-ready;rport`,
    `From: <sip:test@127.0.0.1>;tag=ready`,
    `To: <sip:127.0.0.1:${to}>`,
    `Call-ID: ready-${from}`,
    'CSeq: 1 OPTIONS',
    'Max-Forwards: 70',
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');
}

// REGISTER and INVITE are challenged; a call goes to whoever registered the user part of its address.
function configText(address: string, folder: string): string {
  return `#!KAMAILIO
debug=1 log_stderror=yes fork=yes children=2
listen=udp:${address} listen=tcp:${address}
auto_aliases=no dns=no rev_dns=no disable_tcp=no enable_sctp=no
loadmodule "tm.so"     loadmodule "tmx.so"       loadmodule "sl.so"      loadmodule "rr.so"       loadmodule "pv.so"
loadmodule "maxfwd.so" loadmodule "textops.so"   loadmodule "siputils.so" loadmodule "usrloc.so"  loadmodule "auth.so"
loadmodule "kex.so"    loadmodule "registrar.so" loadmodule "corex.so"   loadmodule "xlog.so"     loadmodule "ctl.so"
modparam("ctl", "binrpc", "unixs:${folder}/kamailio_ctl")
modparam("usrloc", "db_mode", 0)
modparam("registrar", "max_expires", 3600)  modparam("registrar", "default_expires", 600)
modparam("tm", "fr_timer", 5000)            modparam("tm", "fr_inv_timer", 30000)
modparam("rr", "enable_full_lr", 1)         modparam("auth", "nonce_expire", 300)

request_route {
    if (!mf_process_maxfwd_header("10")) { sl_send_reply("483","Too Many Hops"); exit; }
    if (is_method("OPTIONS") && uri==myself) { sl_send_reply("200","OK"); exit; }
    if (has_totag()) {
        if (loose_route()) { route(RELAY); exit; }
        if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
        sl_send_reply("404","Not here"); exit;
    }
    if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
    t_check_trans();
    if (is_method("REGISTER")) {
        if (!pv_www_authenticate("${REALM}", "pw$au", "0")) { www_challenge("${REALM}", "1"); exit; }
        if (!save("location")) sl_reply_error();
        exit;
    }
    if (is_method("INVITE|SUBSCRIBE")) {
        if (!pv_proxy_authenticate("${REALM}", "pw$au", "0")) { proxy_challenge("${REALM}", "1"); exit; }
        consume_credentials();
        record_route();
    }
    if (!lookup("location")) { sl_send_reply("404","Not Found"); exit; }
    route(RELAY);
}
route[RELAY] { if (!t_relay()) sl_reply_error(); exit; }
`;
}
