import { ApiError } from '../api/api-error.ts';
import type { CredentialGuard } from '../api/authentication.ts';
import type { ControlPorts } from '../api/control-routes.ts';
import type { HeldSource } from '../base/hold-back.ts';
import type { Trust } from '../api/trust/trust.ts';
import { systemClock } from '../base/clock.ts';
import { formatEndpoint } from '../base/network.ts';
import { parseSid } from '../base/sid.ts';
import { aorOf } from '../comms/calls/routing.ts';
import type { CallService } from '../comms/calls/call-service.ts';
import { HOME_DOMAIN } from '../comms/place.ts';
import type { Phone, Trunk } from '../comms/place-model.ts';
import type { ResidentPhones } from '../scripted-phone/resident-phones.ts';
import type { CallParts } from './call-environment.ts';
import { reachableAt } from './local-hosts.ts';
import { scriptedPhonePorts } from './scripted-phone-ports.ts';
import type { LogBuffer } from './log-buffer.ts';
import { traceOf } from './tracing/call-family.ts';
import type { TrunkLines } from './trunk-lines.ts';

export interface ControlParts extends Omit<CallParts, 'bus' | 'publicUrl'> {
  readonly logs: LogBuffer;
  readonly service: CallService;
  readonly trunkLines: TrunkLines;
  readonly trust: () => Promise<Trust>;
  readonly residents: ResidentPhones;
  readonly guard: CredentialGuard;
  /** Who is held back at the doors of HTTP. */
  heldAtHttp(): readonly HeldSource[];
  freeAtHttp(address: string): readonly HeldSource[];
  onStopAsked(): void;
}

/** What the place's own door may ask, answered by the running parts. */
export function controlPorts(parts: ControlParts): ControlPorts {
  const { records, place, userAgent, media, speech, service, logs, account } = parts;
  const [reachable = userAgent.addresses.udp] = reachableAt(userAgent.addresses.udp);
  const registrar = formatEndpoint(reachable);
  const startedAt = Date.now();

  const showPhone = async (phone: Phone): Promise<object> => {
    const contacts = await userAgent.bindings(aorOf(phone.name, HOME_DOMAIN));
    const { name, number, script } = phone;
    return {
      name,
      number,
      script: script?.name ?? null,
      registrar,
      contacts: contacts.map(({ contact, userAgent: device, expiresAt }) => ({
        contact,
        userAgent: device,
        expiresAt,
      })),
    };
  };
  const showTrunk = (trunk: Trunk): object => {
    const { name, uri, username, register, prefixes, maxCalls } = trunk;
    return { name, uri, username, register, prefixes, maxCalls, state: parts.trunkLines.stateOf(trunk) };
  };
  return {
    clock: systemClock,
    authorize: async (request) => {
      try {
        const caller = await parts.guard.authenticate(request, records);
        return caller.account.sid === account.sid && !caller.byKey;
      } catch (error) {
        // A store that fails is no wrong password: it is told as what it is.
        if (error instanceof ApiError && error.status !== 429) return false;
        throw error;
      }
    },
    status: async () => ({
      pid: process.pid,
      uptimeSeconds: Math.round((Date.now() - startedAt) / 1000),
      accountSid: account.sid,
      sip: { udp: formatEndpoint(userAgent.addresses.udp), tcp: formatEndpoint(userAgent.addresses.tcp) },
      speech: speech.name,
      liveCalls: service.liveCalls,
      media: media.load(),
    }),
    limits: () =>
      parts.limits.view({
        config: parts.config,
        sipPort: userAgent.addresses.udp.port,
        callsWaiting: () => parts.lane.waiting(),
      }),
    heldBack: () => [...userAgent.heldBack(), ...parts.heldAtHttp()],
    free: (address) => [...userAgent.free(address), ...parts.freeAtHttp(address)],
    stop: () => parts.onStopAsked(),
    phones: async () => Promise.all((await records.phones.list()).map(showPhone)),
    trust: parts.trust,
    ...scriptedPhonePorts(parts, showPhone),
    trace: async (text) => {
      const sid = parseSid('CA', text);
      return sid === undefined ? undefined : traceOf(sid, records, parts.book);
    },
    trunks: async () => (await records.trunks.list()).map(showTrunk),
    addTrunk: async (wanted) => {
      const trunk = await place.addTrunk(wanted);
      await parts.trunkLines.add(trunk);
      return showTrunk(trunk);
    },
    removeTrunk: async (name) => {
      await place.removeTrunk(name);
      await parts.trunkLines.remove(name);
    },
    logLines: (count) => logs.last(count),
    followLogs: (line) => logs.follow(line),
  };
}
