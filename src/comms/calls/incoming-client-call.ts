import { errorText } from '../../base/errors.ts';
import { parseSid, type AccountSid } from '../../base/sid.ts';
import type { IncomingWebphoneCall } from '../../webphone/webphone.ts';
import { CommsError } from '../comms-error.ts';
import { fault } from '../faults.ts';
import type { CallMessage } from '../../wire/webphone/client-message.ts';
import type { Application, Call } from '../model.ts';
import { receiveMessage } from './call-messages.ts';
import { callParameters } from './call-journal.ts';
import { openClientLeg } from './client-leg.ts';
import { isOverload } from './dialler.ts';
import type { CallEnvironment } from './environment.ts';
import type { LiveCall } from './live-call.ts';
import { newCall } from './new-call.ts';
import { openLiveCall } from './open-live-call.ts';
import { follow } from './outgoing-call.ts';
import { WebphoneParty } from './webphone-party.ts';

const MAX_TO_CHARS = 256;
const RETRY_AFTER_SECONDS = 5;

/** Takes a call that a browser makes: the application of its token says what becomes of it. Never rejects. */
export async function runIncomingClientCall(
  incoming: IncomingWebphoneCall,
  environment: CallEnvironment,
): Promise<void> {
  let opened: { readonly live: LiveCall; readonly application: Application } | undefined;
  try {
    opened = await open(incoming, environment);
  } catch (error) {
    environment.log.warn(
      { identity: incoming.grant.identity, error: errorText(error) },
      "a browser's call was refused",
    );
    const full = isOverload(error) || (error instanceof CommsError && error.code === 'storage-full');
    incoming.reject({
      code: full ? 31_480 : 31_005,
      message: full ? 'the server takes no more calls now' : 'the call could not be taken',
      ...(full ? { retryAfter: RETRY_AFTER_SECONDS } : {}),
    });
  }
  if (opened === undefined) return;
  const { live, application } = opened;
  try {
    live.party?.ringing();
    await follow(live, firstDocument(live, application, environment), environment);
  } catch (error) {
    environment.log.error({ callSid: live.call.sid, error: errorText(error) }, "a browser's call failed");
    await live.finish({ status: 'failed', sipStatus: 500, reason: errorText(error) });
  }
}

/** Makes the leg and the row; undefined when the call was refused. */
async function open(
  incoming: IncomingWebphoneCall,
  environment: CallEnvironment,
): Promise<{ readonly live: LiveCall; readonly application: Application } | undefined> {
  const { grant, parameters } = incoming;
  const accountSid = parseSid('AC', grant.accountSid);
  const application = await applicationOf(accountSid, grant.outgoingApplicationSid ?? '', environment);
  if (accountSid === undefined || application === undefined) {
    incoming.reject({ code: 31_001, message: `there is no application ${grant.outgoingApplicationSid ?? ''}` });
    return undefined;
  }
  const leg = await openClientLeg(
    { kind: incoming.sound.kind, place: incoming.place, advertisedAddress: environment.settings.advertisedAddress },
    environment.media,
  );
  try {
    const { statusCallback, statusCallbackMethod } = application;
    const call = newCall(
      {
        accountSid,
        to: (parameters['To'] ?? '').slice(0, MAX_TO_CHARS),
        from: `client:${grant.identity}`,
        status: 'ringing',
        stage: 'live',
        direction: 'inbound',
        plan: statusCallback === null ? {} : { statusCallback, statusCallbackMethod },
      },
      environment,
    );
    incoming.name(call.sid);
    const live = openLiveCall(call, environment, { extraParameters: ownParameters(parameters, call, application) });
    const onMessage = (message: CallMessage): boolean => receiveMessage(live, message, environment);
    const party = await WebphoneParty.incoming(incoming, leg, { log: environment.log, onMessage });
    await environment.calls.insert(call);
    environment.liveCalls.add(live);
    await live.adopt(party);
    return { live, application };
  } catch (error) {
    await leg.close().catch(() => undefined);
    throw error;
  }
}

async function applicationOf(
  accountSid: AccountSid | undefined,
  sid: string,
  { lookups }: CallEnvironment,
): Promise<Application | undefined> {
  return accountSid === undefined ? undefined : lookups.application(accountSid, sid);
}

/** A page adds parameters to a request, it does not change what the service says. */
function ownParameters(
  given: Readonly<Record<string, string>>,
  call: Call,
  application: Application,
): Readonly<Record<string, string>> {
  const taken = callParameters(call);
  const own = Object.entries(given).filter(([name]) => !(name in taken));
  return { ...Object.fromEntries(own), ApplicationSid: application.sid };
}

const NO_APPLICATION =
  '<Response><Say>This application has no voice address yet. Give it a voice U R L and call again.</Say></Response>';

function firstDocument(
  live: LiveCall,
  application: Application,
  environment: CallEnvironment,
): Parameters<CallEnvironment['startFlow']>[1] {
  const { voiceUrl, voiceMethod, voiceFallbackUrl, voiceFallbackMethod } = application;
  if (voiceUrl === null) {
    environment.report(live.call, fault(11100, `application ${application.sid} has no VoiceUrl; set one`));
    return { twiml: NO_APPLICATION };
  }
  return {
    ...{ url: voiceUrl, method: voiceMethod, parameters: {} },
    ...{ fallbackUrl: voiceFallbackUrl ?? undefined, fallbackMethod: voiceFallbackMethod },
  };
}
