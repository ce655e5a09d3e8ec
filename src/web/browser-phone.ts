import { Device as ClientDevice, type Call } from '../client/browser/client.ts';
import type { CallEvent, Device, DeviceCall } from './phone.ts';

/** The place's own client as the page's phone uses it. */
export async function openDevice(token: string, url: string): Promise<Device> {
  const device = new ClientDevice(token, { url });
  return {
    register: () => device.register(),
    connect: async (to) => deviceCall(await device.connect({ params: { To: to } })),
    destroy: () => device.destroy(),
    updateToken: (renewed) => device.updateToken(renewed),
    onIncoming: (handler) => void device.on('incoming', (call) => handler(deviceCall(call))),
    onRegistered(handler) {
      device.on('registered', () => handler(true));
      device.on('registering', () => handler(false));
      device.on('unregistered', () => handler(false));
    },
    onError: (handler) => void device.on('error', handler),
  };
}

function deviceCall(call: Call): DeviceCall {
  return {
    sid: () => call.parameters['CallSid'] ?? '',
    from: call.parameters['From'] ?? '',
    accept: () => call.accept(),
    reject: () => call.reject(),
    disconnect: () => call.disconnect(),
    mute: (on) => call.mute(on),
    sendDigits: (digits) => call.sendDigits(digits),
    on: (event: CallEvent, handler) => {
      if (event === 'error') call.on(event, handler);
      else call.on(event, () => handler());
    },
  };
}
