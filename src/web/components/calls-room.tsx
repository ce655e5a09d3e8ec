import { Paper, SegmentedControl, Stack, Title, Group } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { callTrees, isLive } from '../live-calls.ts';
import type { LiveConnection } from '../live-connection.ts';
import type { Session } from '../model.ts';
import { fragmentOf } from '../route.ts';
import { CallList } from './call-list.tsx';
import { useStore } from './use-store.ts';

const FAILED = ['failed', 'busy', 'no-answer'];

interface CallsRoomProps {
  readonly live: LiveConnection;
  readonly session: Session;
  /** The call that is open, from the address. */
  readonly sid: string | undefined;
}

export function CallsRoom({ live, session, sid }: CallsRoomProps): ReactNode {
  const { calls } = useStore(live.state);
  const [which, setWhich] = useState('all');
  const trees = callTrees(calls.calls).filter(({ call }) => {
    if (which === 'live') return isLive(call);
    return which === 'all' || FAILED.includes(call.status);
  });
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Title order={1} size="h2">
          Calls
        </Title>
        <SegmentedControl
          aria-label="Which calls"
          value={which}
          onChange={setWhich}
          data={[
            { value: 'all', label: 'All' },
            { value: 'live', label: 'Live' },
            { value: 'failed', label: 'Not reached' },
          ]}
        />
      </Group>
      <Paper className="card" p="md" radius="lg">
        <CallList
          {...{ live, session, trees }}
          open={sid ?? null}
          onOpen={(opened) => {
            location.hash = fragmentOf({ room: 'calls', sid: opened ?? undefined });
          }}
        />
      </Paper>
    </Stack>
  );
}
