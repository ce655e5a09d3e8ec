import { errorText } from '../../base/errors.ts';
import type { TransferRequest } from '../party.ts';
import { openChildCall } from './child-call.ts';
import { dialledAddress } from './dialled-address.ts';
import { callStatusOf } from './dialler.ts';
import type { CallEnvironment } from './environment.ts';
import type { LiveCall } from './live-call.ts';
import { dialCall } from './outgoing-call.ts';
import { Talk, talkOf, type TalkPorts } from './talk.ts';
import { formatAddress, type Address } from '../address.ts';

const TRANSFER_RING_SECONDS = 60;
const STATUS_NO_SUCH_DIALOG = 481;
const STATUS_BUSY_WITH_A_TRANSFER = 491;

type Progress = ReturnType<TransferRequest['accept']>;

/** How talks of this environment begin: their sides may be transferred (RFC 5589, with this server in the middle). */
export function talkPorts(environment: CallEnvironment): TalkPorts {
  const { media, log } = environment;
  return { media, log, onTransfer: (request, from, talk) => takeTransfer(request, from, talk, environment) };
}

function takeTransfer(request: TransferRequest, from: LiveCall, talk: Talk, environment: CallEnvironment): void {
  const { replacesDialog } = request;
  if (replacesDialog !== undefined) {
    attended(request, replacesDialog, { from, talk }, environment);
    return;
  }
  const destination = dialledAddress(request.referTo);
  if (destination === undefined) {
    request.refuse(400);
  } else if (talk.beginTransfer(from)) {
    const progress = request.accept();
    talk.partnerOf(from).background(() => blind(destination, progress, { from, talk }, environment));
  } else {
    request.refuse(STATUS_BUSY_WITH_A_TRANSFER);
  }
}

interface Place {
  readonly from: LiveCall;
  readonly talk: Talk;
}

/** Somebody else is called in the place of `from`; on the answer the one who stays talks with them. */
async function blind(
  destination: Address,
  progress: Progress,
  { from, talk }: Place,
  environment: CallEnvironment,
): Promise<void> {
  const staying = talk.partnerOf(from);
  try {
    const newcomer = await callFor(staying, destination, progress, environment);
    if (newcomer === undefined) return;
    await replace({ from, talk }, newcomer, environment);
    progress.notify(200, 'OK');
    await from.finish({ status: 'completed', sipStatus: 200, reason: 'transferred' });
  } catch (error) {
    environment.log.warn({ callSid: staying.call.sid, error: errorText(error) }, 'a transfer failed');
    progress.notify(500, 'Server Internal Error');
  } finally {
    talk.endTransfer();
  }
}

/** Dials on behalf of the one who stays. Undefined when nobody answered: the end was told to the transferrer. */
async function callFor(
  staying: LiveCall,
  destination: Address,
  progress: Progress,
  environment: CallEnvironment,
): Promise<LiveCall | undefined> {
  const { call } = staying;
  const child = await openChildCall(
    staying,
    {
      to: formatAddress(destination),
      // Who stays is shown as the caller, whichever way its own call went.
      from: call.direction === 'inbound' ? call.from : call.to,
      plan: { timeoutSeconds: TRANSFER_RING_SECONDS, statusCallbackEvents: [] },
    },
    environment,
  );
  const forget = staying.onEnd(() => void child.finish({ status: 'canceled', sipStatus: 487 }));
  try {
    const onRinging = (): void => {
      child.ringing();
      progress.notify(180, 'Ringing');
    };
    const result = await dialCall(child, environment, { depth: child.loopDepth, onRinging, near: staying });
    if (result?.kind === 'answered') {
      if (await child.adopt(result.party)) return child;
    } else if (result !== undefined) {
      const { status, reason } = result.failure;
      await child.finish({ status: callStatusOf(result.failure), sipStatus: status, reason });
    }
    const { sipResponseCode, endReason } = child.call;
    progress.notify(sipResponseCode ?? 480, endReason ?? 'Temporarily Unavailable');
    return undefined;
  } catch (error) {
    await child.finish({ status: 'failed', sipStatus: 500, reason: errorText(error) });
    throw error;
  } finally {
    forget();
  }
}

async function replace({ from, talk }: Place, newcomer: LiveCall, environment: CallEnvironment): Promise<void> {
  const staying = talk.partnerOf(from);
  try {
    const next = await Talk.join(staying, newcomer, talkPorts(environment));
    talk.leave(staying, next);
  } catch (error) {
    await newcomer.finish({ status: 'completed', sipStatus: 200, reason: errorText(error) });
    throw error;
  }
}

/** The transferrer has two talks; their far sides are joined and its own two calls end. */
function attended(request: TransferRequest, dialogId: string, place: Place, environment: CallEnvironment): void {
  const consulting = environment.liveCalls.withDialog(dialogId);
  const other = consulting === undefined ? undefined : talkOf(consulting);
  const { from, talk } = place;
  if (consulting === undefined || other === undefined || other === talk) {
    request.refuse(STATUS_NO_SUCH_DIALOG);
    return;
  }
  if (consulting.call.accountSid !== from.call.accountSid) {
    request.refuse(403);
    return;
  }
  if (!talk.beginTransfer(from)) {
    request.refuse(STATUS_BUSY_WITH_A_TRANSFER);
    return;
  }
  // Phones may end either of their calls as soon as the transfer is accepted.
  if (!other.beginTransfer(consulting)) {
    talk.endTransfer();
    request.refuse(STATUS_BUSY_WITH_A_TRANSFER);
    return;
  }
  const progress = request.accept();
  talk.partnerOf(from).background(async () => {
    try {
      await joinFarSides(place, { from: consulting, talk: other }, environment);
      progress.notify(200, 'OK');
    } catch (error) {
      environment.log.warn({ callSid: from.call.sid, error: errorText(error) }, 'an attended transfer failed');
      progress.notify(503, 'Service Unavailable');
    } finally {
      talk.endTransfer();
      other.endTransfer();
    }
  });
}

async function joinFarSides(one: Place, other: Place, environment: CallEnvironment): Promise<void> {
  const [left, right] = [one.talk.partnerOf(one.from), other.talk.partnerOf(other.from)];
  const next = await Talk.join(left, right, talkPorts(environment));
  one.talk.leave(left, next);
  other.talk.leave(right, next);
  const end = { status: 'completed', sipStatus: 200, reason: 'transferred' } as const;
  await Promise.all([one.from.finish(end), other.from.finish(end)]);
}
