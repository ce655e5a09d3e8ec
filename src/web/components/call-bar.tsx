import { Anchor, Box, Group, Paper, Text, ThemeIcon } from '@mantine/core';
import type { ReactNode } from 'react';
import type { LiveConnection } from '../live-connection.ts';
import type { Phone } from '../phone.ts';
import { fragmentOf } from '../route.ts';
import { CallButtons, CallWords, isIncoming, titleOf } from './call-controls.tsx';
import { Icon } from './icon.tsx';
import { useStore } from './use-store.ts';

/** The page's call in the rooms that are not about it: it stays in view, to be answered and hung up from anywhere. */
export function CallBar({ live, phone }: { readonly live: LiveConnection; readonly phone: Phone }): ReactNode {
  const { call, note } = useStore(phone.state);
  if (call === undefined) return null;
  return (
    <Paper
      className="hero call-bar"
      role={isIncoming(call) ? 'alertdialog' : 'region'}
      aria-labelledby="call-bar-title"
      aria-describedby="call-bar-words"
      p="md"
      mb="md"
      radius="lg"
    >
      <Group justify="space-between" gap="md">
        <Group wrap="nowrap" gap="lg" style={{ minWidth: 0 }}>
          <Box className={call.status === 'ringing' ? 'ringing' : undefined} style={{ borderRadius: 22, flex: 'none' }}>
            <ThemeIcon size={44} radius="50%" variant="filled">
              <Icon name="phone" size={22} />
            </ThemeIcon>
          </Box>
          <div>
            <Text fw={650} size="lg" component="h2" m={0} id="call-bar-title" className="breaks">
              {titleOf(call)}
            </Text>
            <div id="call-bar-words">
              <CallWords {...{ live, call }} hint={<KeysHint />} />
            </div>
          </div>
        </Group>
        <CallButtons {...{ phone, call }} />
      </Group>
      {note === undefined ? null : (
        <Text mt="sm" size="sm" role="status" className="breaks">
          {note}
        </Text>
      )}
    </Paper>
  );
}

function KeysHint(): ReactNode {
  return (
    <>
      Press keys on your keyboard, or{' '}
      <Anchor href={fragmentOf({ room: 'home' })} inherit underline="always">
        at Home
      </Anchor>
      .
    </>
  );
}

/** Says an incoming call to whoever does not see it. It stands here before there is anything to say, else nobody hears it. */
export function CallAnnouncement({ phone }: { readonly phone: Phone }): ReactNode {
  const { call } = useStore(phone.state);
  return (
    <div className="unseen" aria-live="assertive">
      {call !== undefined && isIncoming(call) ? titleOf(call) : ''}
    </div>
  );
}
