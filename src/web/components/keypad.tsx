import { SimpleGrid, Text, UnstyledButton } from '@mantine/core';
import type { ReactNode } from 'react';

const KEYS: readonly (readonly [key: string, letters: string, name?: string])[] = [
  ['1', ''],
  ['2', 'ABC'],
  ['3', 'DEF'],
  ['4', 'GHI'],
  ['5', 'JKL'],
  ['6', 'MNO'],
  ['7', 'PQRS'],
  ['8', 'TUV'],
  ['9', 'WXYZ'],
  ['*', '', 'star'],
  ['0', '+'],
  ['#', '', 'pound'],
];

/** The twelve keys of a telephone. */
export function Keypad({ onPress }: { onPress(key: string): void }): ReactNode {
  return (
    <SimpleGrid cols={3} spacing={8} verticalSpacing={8}>
      {KEYS.map(([key, letters, name]) => (
        <UnstyledButton key={key} className="key" aria-label={name} onClick={() => onPress(key)}>
          <Text component="span" size="lg" fw={600} lh={1.1}>
            {key}
          </Text>
          <small>{letters}</small>
        </UnstyledButton>
      ))}
    </SimpleGrid>
  );
}
