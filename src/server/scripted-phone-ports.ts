import type { ControlPorts } from '../api/control-routes.ts';
import { errorText } from '../base/errors.ts';
import { CommsError } from '../comms/comms-error.ts';
import type { Place } from '../comms/place.ts';
import type { Phone } from '../comms/place-model.ts';
import { PhoneError } from '../scripted-phone/phone-error.ts';
import type { ResidentPhones } from '../scripted-phone/resident-phones.ts';
import { parseResidentScript } from '../scripted-phone/resident-script.ts';

interface Parts {
  readonly place: Place;
  readonly residents: ResidentPhones;
}

/** Phones at the control door: a row, and where it has a script, the phone itself. */
export function scriptedPhonePorts(
  { place, residents }: Parts,
  showPhone: (phone: Phone) => Promise<object>,
): Pick<ControlPorts, 'addPhone' | 'removePhone' | 'phoneResults' | 'runPhone'> {
  return {
    addPhone: async (wanted) => {
      const { script } = wanted;
      // Before the row is written: a script that cannot be read makes no phone.
      if (script !== undefined) await asRefusal(() => parseResidentScript(script));
      const { phone, password } = await place.addPhone(wanted);
      if (script !== undefined)
        await takenBack(place, phone, () => residents.add({ name: phone.name, password, script }));
      return { ...(await showPhone(phone)), ...(script === undefined ? { password } : {}) };
    },
    removePhone: async (name) => {
      await residents.remove(name);
      await place.removePhone(name);
    },
    phoneResults: async (name) => {
      const results = residents.results(name);
      if (results !== undefined) return results;
      throw new CommsError('not-found', `there is no scripted phone named ${JSON.stringify(name)}`, {
        faultCode: 20_404,
        httpStatus: 404,
      });
    },
    runPhone: async (name) => ({ call: await asRefusal(() => residents.run(name)) }),
  };
}

/** A phone that cannot be opened leaves no row behind. */
async function takenBack(place: Place, { name }: Phone, open: () => Promise<void>): Promise<void> {
  try {
    await asRefusal(open);
  } catch (error) {
    await place.removePhone(name);
    throw error;
  }
}

async function asRefusal<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PhoneError)) throw error;
    throw new CommsError('refused', errorText(error), { faultCode: 20_001, httpStatus: 400, cause: error });
  }
}
