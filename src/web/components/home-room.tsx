import { Anchor, Grid, Group, Paper, Stack, Title } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import type { Door } from '../door.ts';
import type { LiveConnection } from '../live-connection.ts';
import { callTrees } from '../live-calls.ts';
import type { Session } from '../model.ts';
import type { Phone } from '../phone.ts';
import { fragmentOf } from '../route.ts';
import { AccountCard } from './account-card.tsx';
import { CallList } from './call-list.tsx';
import { CallMe } from './call-me.tsx';
import { CodeCard } from './code-card.tsx';
import { DialPad } from './dial-pad.tsx';
import { useStore } from './use-store.ts';

const SHOWN_CALLS = 6;

interface HomeRoomProps {
  readonly live: LiveConnection;
  readonly phone: Phone;
  readonly door: Door;
  readonly session: Session;
}

/** A first call without a phone, what came of it, and the code that does the same. */
export function HomeRoom({ live, phone, door, session }: HomeRoomProps): ReactNode {
  const { calls } = useStore(live.state);
  const trees = callTrees(calls.calls);
  // The newest call is open until another one is chosen; choosing the newest again follows it anew.
  const [chosen, setChosen] = useState<string | null>();
  return (
    <Grid gap="md">
      <Grid.Col span={{ base: 12, md: 7 }}>
        <Stack gap="md">
          <CallMe {...{ live, phone }} />
          <Paper className="card" p="md" radius="lg" component="section" aria-labelledby="calls-title">
            <Group justify="space-between" mb="xs">
              <Title order={2} size="h4" id="calls-title">
                Calls
              </Title>
              {trees.length > SHOWN_CALLS ? (
                <Anchor href={fragmentOf({ room: 'calls', sid: undefined })} size="sm">
                  All calls
                </Anchor>
              ) : null}
            </Group>
            <CallList
              {...{ live, session }}
              trees={trees.slice(0, SHOWN_CALLS)}
              open={chosen === undefined ? (trees[0]?.call.sid ?? null) : chosen}
              onOpen={(sid) => setChosen(sid === trees[0]?.call.sid ? undefined : sid)}
            />
          </Paper>
          <CodeCard door={door} session={session} phone={phone} />
        </Stack>
      </Grid.Col>
      <Grid.Col span={{ base: 12, md: 5 }}>
        <Stack gap="md">
          <DialPad phone={phone} session={session} />
          <AccountCard door={door} session={session} />
        </Stack>
      </Grid.Col>
    </Grid>
  );
}
