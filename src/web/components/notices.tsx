import { Alert, Button, Center, Paper, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import type { LiveConnection } from '../live-connection.ts';
import { clockText } from '../words.ts';
import { useStore } from './use-store.ts';

export function Unreachable({ why, onRetry }: { readonly why: string; onRetry(): void }): ReactNode {
  return (
    <Center component="main" mih="100vh" p="md">
      <Paper className="card" p="xl" maw={420} radius="lg">
        <Stack>
          <Title order={1} size="h3">
            The page cannot be opened
          </Title>
          <Text className="breaks">{why}</Text>
          <Button onClick={onRetry}>Try again</Button>
        </Stack>
      </Paper>
    </Center>
  );
}

/** What is wrong with the connection, said where nobody overlooks it. */
export function Notices({ live }: { readonly live: LiveConnection }): ReactNode {
  const { connection, sleptMs } = useStore(live.state);
  return (
    <Stack gap="sm" role="status" aria-live="polite" mb={connection === 'lost' || sleptMs !== undefined ? 'md' : 0}>
      {connection === 'lost' ? (
        <Alert color="red" title="The connection to Tandem is lost">
          The page tries again by itself. If this stays, see whether the server still runs; what you see may be old.
        </Alert>
      ) : null}
      {sleptMs === undefined ? null : (
        <Alert
          color="blue"
          title={`This tab slept for ${clockText(sleptMs)} minutes`}
          withCloseButton
          closeButtonLabel="Dismiss"
          onClose={() => live.forgetSleep()}
        >
          Everything here is up to date again. While a tab sleeps, nobody can ring it.
        </Alert>
      )}
    </Stack>
  );
}
