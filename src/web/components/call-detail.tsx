import { Alert, Box, Group, Loader, SegmentedControl, Stack, Text } from '@mantine/core';
import { useEffect, useState, type ReactNode } from 'react';
import type { LiveConnection } from '../live-connection.ts';
import type { Session, ShownCall } from '../model.ts';
import { legText, shortAddress } from '../words.ts';
import { CopyText } from './copy-text.tsx';
import { lengthText, StatusBadge } from './call-status.tsx';
import { CallTimeLine } from './call-time-line.tsx';
import { useStore } from './use-store.ts';

interface CallDetailProps {
  readonly live: LiveConnection;
  readonly session: Session;
  readonly call: ShownCall;
  readonly legs: readonly ShownCall[];
}

/** One call: its legs to choose from, and the time line of the chosen one. */
export function CallDetail({ live, session, call, legs }: CallDetailProps): ReactNode {
  const [chosen, setChosen] = useState(call.sid);
  const leg = legs.find(({ sid }) => sid === chosen) ?? call;
  useEffect(() => {
    live.watch(leg.sid);
  }, [live, leg.sid]);
  const { watched } = useStore(live.state).calls;
  const steps = watched?.call.sid === leg.sid ? watched : undefined;
  return (
    <Stack gap="sm">
      {legs.length === 0 ? null : (
        <Box style={{ overflowX: 'auto' }}>
          <SegmentedControl
            aria-label="Legs of the call"
            size="xs"
            value={leg.sid}
            onChange={setChosen}
            data={[call, ...legs].map((each) => ({ value: each.sid, label: legLabel(each, call, session) }))}
          />
        </Box>
      )}
      {legs.length === 0 ? <CopyText text={call.sid} name="call SID" /> : <LegFacts live={live} leg={leg} />}
      {steps === undefined ? (
        <Loader size="sm" aria-label="The time line is being fetched" />
      ) : (
        <>
          {steps.remembered ? null : (
            <Alert color="gray" p="xs">
              The server was started anew since, or took many calls: of this one its rows and faults are left.
            </Alert>
          )}
          <CallTimeLine entries={steps.entries} />
        </>
      )}
    </Stack>
  );
}

function legLabel(leg: ShownCall, call: ShownCall, { homeDomain }: Session): string {
  return leg.sid === call.sid
    ? `Caller ${shortAddress(call.direction === 'inbound' ? call.from : call.to, homeDomain)}`
    : legText(leg, homeDomain);
}

function LegFacts({ live, leg }: Pick<CallDetailProps, 'live'> & { readonly leg: ShownCall }): ReactNode {
  const now = useStore(live.time);
  return (
    <Group gap="xs" wrap="wrap">
      <StatusBadge status={leg.status} />
      <Text size="xs" className="quiet mono">
        {lengthText(leg, now)}
      </Text>
      <CopyText text={leg.sid} name="call SID" />
      <Text size="xs" className="quiet breaks">
        {leg.from === '' ? 'nobody' : leg.from} → {leg.to === '' ? 'nobody' : leg.to}
      </Text>
    </Group>
  );
}
