import { CopyButton, Group, Text, Tooltip, UnstyledButton } from '@mantine/core';
import type { ReactNode } from 'react';
import { Icon } from './icon.tsx';

interface CopyTextProps {
  readonly text: string;
  /** What it is: "Copy the account SID". */
  readonly name: string;
}

/** A text that is read and copied with one press. */
export function CopyText({ text, name }: CopyTextProps): ReactNode {
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'Copied' : `Copy the ${name}`}>
          <UnstyledButton onClick={copy} aria-label={copied ? `${name} copied` : `Copy the ${name} ${text}`}>
            <Group gap={5} wrap="nowrap">
              <Text size="xs" className="mono breaks">
                {text}
              </Text>
              <Icon name={copied ? 'check' : 'copy'} size={14} />
            </Group>
          </UnstyledButton>
        </Tooltip>
      )}
    </CopyButton>
  );
}
