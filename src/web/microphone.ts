/** Why the page cannot be a phone, in words that say what to do. */
export interface PhoneProblem {
  readonly title: string;
  readonly advice: string;
}

export interface MicrophonePorts {
  readonly isSecureContext: boolean;
  /** Undefined where the browser gives no devices. */
  readonly ask: (() => Promise<void>) | undefined;
  /** Where the same page is over TLS. */
  readonly secureUrl: string | undefined;
  readonly port: string;
}

/** Asks for the microphone; undefined when the page may use it. */
export async function microphoneProblem(ports: MicrophonePorts): Promise<PhoneProblem | undefined> {
  if (!ports.isSecureContext) return insecure(ports);
  if (ports.ask === undefined) {
    return { title: 'This browser has no microphone for pages', advice: 'Open this page in another browser.' };
  }
  try {
    await ports.ask();
    return undefined;
  } catch (error) {
    return problemOf(error);
  }
}

function insecure({ secureUrl, port }: MicrophonePorts): PhoneProblem {
  const atHome = `On the machine that runs Tandem, http://localhost${port === '' ? '' : `:${port}`} works.`;
  return {
    title: 'Browsers give the microphone to secure addresses only',
    advice: secureUrl === undefined ? atHome : `Open ${secureUrl} instead. ${atHome}`,
  };
}

/** By the names of Media Capture and Streams 10.2. */
export function problemOf(error: unknown): PhoneProblem {
  switch ((error as { readonly name?: unknown } | null)?.name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return {
        title: 'The microphone was refused',
        advice: 'Allow it for this address (the icon beside the address bar), then press the button again.',
      };
    case 'NotFoundError':
    case 'OverconstrainedError':
      return { title: 'There is no microphone', advice: 'Plug one in, or a headset, and press the button again.' };
    case 'NotReadableError':
    case 'AbortError':
      return {
        title: 'The microphone cannot be used',
        advice: 'Another program may hold it. Close that one and press the button again.',
      };
    default:
      return { title: 'The microphone cannot be used', advice: error instanceof Error ? error.message : String(error) };
  }
}
