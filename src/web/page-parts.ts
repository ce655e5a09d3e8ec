import { systemClock } from '../base/clock.ts';
import { systemRandom } from '../base/random.ts';
import { openEventStream } from './browser-live.ts';
import { Door, DoorError } from './door.ts';
import { identityOfTab } from './identity.ts';
import { LiveConnection } from './live-connection.ts';
import { microphoneProblem, type PhoneProblem } from './microphone.ts';
import type { Session } from './model.ts';
import { Phone } from './phone.ts';
import { ring } from './ring-tone.ts';

/** What the page works with, joined once. */
export interface PageParts {
  readonly door: Door;
  readonly live: LiveConnection;
  phone(session: Session): Phone;
  /** Whoever leaves is no phone any more. */
  closePhone(): void;
}

export function pageParts(): PageParts {
  const door = new Door((path, init) => fetch(path, init));
  const live = new LiveConnection({ clock: systemClock, open: openEventStream, isRefused: () => isRefused(door) });
  let phone: Phone | undefined;
  return {
    door,
    live,
    phone: (session) => (phone ??= openPhone(door, session)),
    closePhone() {
      phone?.close();
      phone = undefined;
    },
  };
}

async function isRefused(door: Door): Promise<boolean> {
  try {
    await door.session();
    return false;
  } catch (error) {
    return error instanceof DoorError && error.status === 401;
  }
}

function openPhone(door: Door, session: Session): Phone {
  const identity = identityOfTab(sessionStorage, systemRandom);
  return new Phone({
    clock: systemClock,
    identity,
    token: () => door.phoneToken(identity),
    callMe: () => door.callMe(identity),
    microphone: () => askForMicrophone(session),
    // Who never calls does not load the phone.
    device: async (token) => (await import('./browser-phone.ts')).openDevice(token, location.origin),
    ring,
  });
}

function askForMicrophone(session: Session): Promise<PhoneProblem | undefined> {
  // The types promise devices everywhere; browsers keep them to secure contexts.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  const ask = async (): Promise<void> => {
    const stream = await devices?.getUserMedia({ audio: true });
    for (const track of stream?.getTracks() ?? []) track.stop();
  };
  return microphoneProblem({
    isSecureContext: window.isSecureContext,
    ask: devices === undefined ? undefined : ask,
    secureUrl: secureUrlOf(session),
    port: location.port,
  });
}

/** The HTTPS door, by the name under which the page was reached. */
function secureUrlOf({ about: { https } }: Session): string | undefined {
  const port = https === null ? undefined : URL.parse(https)?.port;
  return port === undefined ? undefined : `https://${location.hostname}:${port}/`;
}
