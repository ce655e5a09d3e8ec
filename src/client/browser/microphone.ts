import { errorText } from '../../base/errors.ts';
import { ClientError } from '../client-error.ts';

/** The microphone's sound; rejects with what to do when there is none. */
export async function openMicrophone(constraints: MediaTrackConstraints | undefined): Promise<MediaStream> {
  // The DOM's types promise it everywhere; browsers keep it to secure contexts.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices === undefined || !globalThis.isSecureContext) {
    throw new ClientError(
      31402,
      `${location.origin} is no secure context, so the browser gives no microphone: open the page by https, or from localhost`,
    );
  }
  try {
    return await devices.getUserMedia({ audio: constraints ?? true });
  } catch (error) {
    throw refusal(error);
  }
}

function refusal(error: unknown): ClientError {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') {
    return new ClientError(
      31401,
      "the microphone was refused: allow it for this page (the lock beside the address), or the frame's allow attribute",
      { cause: error },
    );
  }
  const why = name === 'NotFoundError' ? 'this machine has no microphone: plug one in' : errorText(error);
  return new ClientError(31402, `the microphone could not be opened: ${why}`, { cause: error });
}
