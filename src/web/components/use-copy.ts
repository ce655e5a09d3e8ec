import { useClipboard } from '@mantine/hooks';
import { useState } from 'react';

export interface Copying {
  readonly copied: boolean;
  readonly failure: string | undefined;
  copy(): void;
}

/** Copies what has to be fetched first. */
export function useCopy(fetchText: () => Promise<string>): Copying {
  const clipboard = useClipboard({ timeout: 2000 });
  const [failure, setFailure] = useState<string>();
  const copy = (): void => {
    setFailure(undefined);
    fetchText().then(
      (text) => clipboard.copy(text),
      (error: unknown) => setFailure(error instanceof Error ? error.message : String(error)),
    );
  };
  return { copied: clipboard.copied, failure: failure ?? clipboard.error?.message, copy };
}
