import type { Store, WriteResult, WriteStatement } from '../../store/store.ts';
import { StoreError } from '../../store/store-error.ts';
import { CommsError } from '../comms-error.ts';

/** Writes, and turns the store's refusals into the service's: a full disk, an unknown record, a name that is taken. */
export async function writeRecords(
  store: Store,
  statements: readonly WriteStatement[],
  onDuplicate?: () => CommsError,
): Promise<readonly WriteResult[]> {
  try {
    return await store.write(statements);
  } catch (error) {
    throw refusalOf(error, onDuplicate);
  }
}

/** The service's word for a refusal of the store; other errors as they are. */
export function refusalOf(error: unknown, onDuplicate?: () => CommsError): unknown {
  if (!(error instanceof StoreError)) return error;
  switch (error.code) {
    case 'full':
      return new CommsError('storage-full', 'The disk of the server is full: nothing was accepted', {
        faultCode: 20503,
        httpStatus: 503,
        cause: error,
      });
    case 'overloaded':
      return new CommsError('overloaded', 'The store does not keep up: nothing was accepted, try again later', {
        faultCode: 20503,
        httpStatus: 503,
        cause: error,
      });
    case 'unexpected-rows':
      return notFound(error);
    case 'duplicate':
      return onDuplicate?.() ?? error;
    default:
      return error;
  }
}

export function notFound(cause?: unknown): CommsError {
  return new CommsError('not-found', 'The requested resource was not found', {
    faultCode: 20404,
    httpStatus: 404,
    cause,
  });
}

/** Something of this name is there already. */
export function taken(message: string, faultCode = 20409, httpStatus = 409): () => CommsError {
  return () => new CommsError('refused', message, { faultCode, httpStatus });
}
