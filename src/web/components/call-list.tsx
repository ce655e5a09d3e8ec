import { Accordion, Box, Group, Skeleton, Stack, Text } from '@mantine/core';
import { useEffect, type ReactNode } from 'react';
import type { LiveConnection } from '../live-connection.ts';
import type { Session, ShownCall } from '../model.ts';
import { agoText, directionWords, shortAddress } from '../words.ts';
import { CallDetail } from './call-detail.tsx';
import { lengthText, StatusBadge } from './call-status.tsx';
import { Icon } from './icon.tsx';
import { useStore } from './use-store.ts';

interface CallListProps {
  readonly live: LiveConnection;
  readonly session: Session;
  readonly trees: readonly { readonly call: ShownCall; readonly legs: readonly ShownCall[] }[];
  readonly open: string | null;
  onOpen(sid: string | null): void;
}

/** Calls, newest first; the open one shows its legs and its time line as they grow. */
export function CallList({ live, session, trees, open, onOpen }: CallListProps): ReactNode {
  const { calls } = useStore(live.state);
  const now = useStore(live.time);
  useEffect(() => live.watch(open ?? undefined), [live, open]);
  if (!calls.isKnown) return <Skeleton height={120} aria-label="The calls are being fetched" />;
  if (trees.length === 0) return <NoCalls />;
  return (
    <Accordion
      variant="default"
      chevronPosition="left"
      value={open}
      onChange={onOpen}
      styles={{ control: { paddingInline: 4 }, content: { paddingInline: 4 }, label: { paddingBlock: 10 } }}
    >
      {trees.map(({ call, legs }) => (
        <Accordion.Item key={call.sid} value={call.sid}>
          <Accordion.Control>
            <CallLine {...{ call, legs, session, now }} />
          </Accordion.Control>
          <Accordion.Panel>
            {open === call.sid ? <CallDetail {...{ live, session, call, legs }} /> : null}
          </Accordion.Panel>
        </Accordion.Item>
      ))}
    </Accordion>
  );
}

interface CallLineProps {
  readonly call: ShownCall;
  readonly legs: readonly ShownCall[];
  readonly session: Session;
  readonly now: number;
}

function CallLine({ call, legs, session: { homeDomain }, now }: CallLineProps): ReactNode {
  const reached = legs.map(({ to }) => shortAddress(to, homeDomain));
  const to = [shortAddress(call.to, homeDomain), ...reached.filter((name, at) => reached.indexOf(name) === at)];
  return (
    <Group justify="space-between" wrap="nowrap" gap="xs">
      <Group gap={10} wrap="nowrap" style={{ minWidth: 0 }}>
        <Box className="quiet" style={{ display: 'flex' }}>
          <Icon name={call.direction === 'inbound' ? 'in' : 'out'} size={18} />
        </Box>
        <Stack gap={0} style={{ minWidth: 0 }}>
          <Text size="sm" fw={600} className="breaks" lh={1.3}>
            {shortAddress(call.from, homeDomain)} → {[...new Set(to)].join(' → ')}
          </Text>
          <Text size="xs" className="quiet" truncate>
            {directionWords(call)} · {agoText(call.dateCreated, now)}
          </Text>
        </Stack>
      </Group>
      <Group gap={8} wrap="nowrap" style={{ flex: 'none' }}>
        <Text size="xs" className="quiet mono" visibleFrom="xs">
          {lengthText(call, now)}
        </Text>
        <StatusBadge status={call.status} />
      </Group>
    </Group>
  );
}

function NoCalls(): ReactNode {
  return (
    <Stack align="center" gap={4} py="lg">
      <Box className="quiet">
        <Icon name="phone" size={32} />
      </Box>
      <Text fw={600}>No calls yet</Text>
      <Text size="sm" className="quiet" ta="center" maw={420}>
        Press <b>Call me</b>, dial somebody, or run the lines of code. Every call shows up here while it happens, with
        what your application was asked and what it answered.
      </Text>
    </Stack>
  );
}
