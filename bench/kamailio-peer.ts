import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RunningProcess } from '../src/testkit/child-process.ts';
import { peer } from '../src/testkit/peers.ts';
import { claimPorts } from '../src/testkit/port-block.ts';
import type { Scope } from '../src/testkit/scope.ts';
import { temporaryFolder } from '../src/testkit/temporary-folder.ts';

/** Kamailio as registrar and record-routing proxy without challenge for calls; `digest` challenges REGISTER. */
export async function startKamailioPeer(scope: Scope, digest: boolean): Promise<{ address: string; pid: number }> {
  const folder = temporaryFolder(scope, 'kamailio');
  const { first } = await claimPorts(scope);
  const address = `127.0.0.1:${first}`;
  writeFileSync(join(folder, 'kamailio.cfg'), configuration(address, folder, digest));
  const args = ['-DD', '-E', '-f', join(folder, 'kamailio.cfg'), '-m', '512', '-M', '32', '-Y', folder, '-w', folder];
  const running = RunningProcess.start(peer('kamailio').path, args);
  scope.after(async () => void (await running.end('SIGTERM', 10_000)));
  await running.line(/ready|initialized|timer|udp/i, { on: 'stderr' }).catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  return { address, pid: running.pid };
}

function configuration(address: string, folder: string, digest: boolean): string {
  return `#!KAMAILIO
debug=1 log_stderror=yes fork=yes children=2
listen=udp:${address}
auto_aliases=no dns=no rev_dns=no disable_tcp=yes enable_sctp=no
loadmodule "tm.so"     loadmodule "tmx.so"       loadmodule "sl.so"      loadmodule "rr.so"       loadmodule "pv.so"
loadmodule "maxfwd.so" loadmodule "textops.so"   loadmodule "siputils.so" loadmodule "usrloc.so"  loadmodule "auth.so"
loadmodule "kex.so"    loadmodule "registrar.so" loadmodule "corex.so"   loadmodule "xlog.so"     loadmodule "ctl.so"
modparam("ctl", "binrpc", "unixs:${folder}/kamailio_ctl")
modparam("usrloc", "db_mode", 0)            modparam("usrloc", "hash_size", 14)
modparam("registrar", "max_expires", 3600)  modparam("registrar", "default_expires", 600)
modparam("tm", "fr_timer", 5000)            modparam("tm", "fr_inv_timer", 30000)
modparam("rr", "enable_full_lr", 1)         modparam("auth", "nonce_expire", 300)
request_route {
    if (!mf_process_maxfwd_header("10")) { sl_send_reply("483","Too Many Hops"); exit; }
    if (has_totag()) {
        if (loose_route()) { route(RELAY); exit; }
        if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
        sl_send_reply("404","Not here"); exit;
    }
    if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
    t_check_trans();
    if (is_method("REGISTER")) {
        ${digest ? 'if (!pv_www_authenticate("127.0.0.1", "pw$au", "0")) { www_challenge("127.0.0.1", "1"); exit; }' : ''}
        if (!save("location")) sl_reply_error();
        exit;
    }
    if (is_method("INVITE|SUBSCRIBE")) record_route();
    if (!lookup("location")) { sl_send_reply("404","Not Found"); exit; }
    route(RELAY);
}
route[RELAY] { if (!t_relay()) sl_reply_error(); exit; }
`;
}
