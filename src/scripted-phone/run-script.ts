import { errorText } from '../base/errors.ts';
import type { PhoneCall } from './phone-call.ts';
import type { PhoneCallOptions } from './phone-options.ts';
import type { Phone } from './phone.ts';
import { openingOf, type Step } from './script.ts';

export interface ScriptOptions extends PhoneCallOptions {
  readonly steps: readonly Step[];
  /** The application calls the phone, instead of the phone the application. */
  readonly called?: boolean;
  /** The phone hangs up so long after the last step, when the service does not. */
  readonly listenMs: number;
}

export type ScriptResult = { readonly held: true } | Failure;

export interface Failure {
  readonly held: false;
  /** The line that failed. */
  readonly line: string;
  readonly why: string;
}

/** Makes one call by the script. An error of the flow that the script does not expect fails it too. */
export async function runScript(phone: Phone, application: string, options: ScriptOptions): Promise<ScriptResult> {
  const opening = openingOf(options.steps);
  if (opening === options.steps[0]?.action && opening.kind === 'answer') phone.answers(opening.answer);
  const call =
    options.called === true
      ? await phone.isCalled(application, options)
      : await phone.call(application, opening.kind === 'call' ? { ...options, to: opening.to } : options);
  const failed = await runSteps(call, options.steps);
  if (failed === undefined) await call.listens(options.listenMs);
  await call.hangUp();
  await phone.settled();
  return failed ?? unexpectedFault(phone, options.steps) ?? { held: true };
}

/** Does the steps in a call that has begun; undefined when all held. */
export async function runSteps(call: PhoneCall, steps: readonly Step[]): Promise<Failure | undefined> {
  for (const step of steps) {
    try {
      await runStep(call, step);
    } catch (error) {
      return { held: false, line: step.line, why: errorText(error) };
    }
  }
  return undefined;
}

async function runStep(call: PhoneCall, { action }: Step): Promise<void> {
  switch (action.kind) {
    case 'hear':
      return call.hears(action.text);
    case 'begin':
      return call.beginsToHear(action.text);
    case 'say':
      return call.say(action.text);
    case 'press':
      return call.press(action.keys);
    case 'wait':
      return call.wait(action.ms);
    case 'silence':
      return call.hearsNothing(action.ms);
    case 'request':
      return call.expectRequest(action.url, action.parameters);
    case 'dials':
      return call.expectDialled(action.to);
    case 'fault':
      return call.expectFault(action.code);
    case 'hangup':
      return call.hangUp();
    case 'ended':
      return call.expectHangup();
    case 'answer':
    case 'call':
      // Done before the call began.
      return undefined;
    default:
      return action satisfies never;
  }
}

function unexpectedFault(phone: Phone, steps: readonly Step[]): ScriptResult | undefined {
  const expected = new Set(steps.map(({ action }) => (action.kind === 'fault' ? action.code : 0)));
  const fault = phone.transcript.find(
    (event) => event.kind === 'fault' && event.level === 'error' && !expected.has(event.code),
  );
  if (fault?.kind !== 'fault') return undefined;
  return { held: false, line: 'the flow runs without an error', why: `${fault.code} ${fault.message}` };
}
