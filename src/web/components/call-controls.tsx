import { Button, Group, Text } from '@mantine/core';
import { useLayoutEffect, useRef, type ReactNode } from 'react';
import type { LiveConnection } from '../live-connection.ts';
import type { Phone, PhoneCallState } from '../phone.ts';
import { clockText } from '../words.ts';
import { Icon } from './icon.tsx';
import { isTypedInto } from './use-keys-in-call.ts';
import { useStore } from './use-store.ts';

/** Somebody calls this page, and it has to be said what is to be done. */
export function isIncoming({ status, direction }: PhoneCallState): boolean {
  return status === 'ringing' && direction === 'in';
}

export function titleOf(call: PhoneCallState): string {
  if (call.status !== 'ringing') return `In a call with ${call.with}`;
  return call.direction === 'in' ? `${call.with} is calling` : `Calling ${call.with}`;
}

interface CallWordsProps {
  readonly live: LiveConnection;
  readonly call: PhoneCallState;
  /** What is said of keys while none was pressed. */
  readonly hint: ReactNode;
}

/** How the call stands: how long it has been answered, by the same clock as its row, and the keys that were pressed. */
export function CallWords({ live, call, hint }: CallWordsProps): ReactNode {
  const now = useStore(live.time);
  const { calls } = useStore(live.state).calls;
  if (call.status === 'reconnecting') return <Text>The sound is interrupted; the call is being taken up again.</Text>;
  if (call.openSince === undefined) {
    return (
      <Text className="quiet">{call.isAwaited ? 'You asked for it: it is answered in a moment.' : 'It rings.'}</Text>
    );
  }
  const row = calls.find(({ sid }) => sid === call.sid);
  return (
    <Group gap="md">
      <Text className="mono" size="lg" role="timer">
        {clockText(now - (row?.startTime ?? live.time.of(call.openSince)))}
      </Text>
      <Text className="quiet">
        {call.digits === '' ? (
          hint
        ) : (
          <>
            You pressed <b className="mono">{call.digits}</b>
          </>
        )}
      </Text>
    </Group>
  );
}

/** What may be done about a call now. */
export function CallButtons({ phone, call }: { readonly phone: Phone; readonly call: PhoneCallState }): ReactNode {
  return isIncoming(call) ? <RingingButtons phone={phone} /> : <TalkingButtons {...{ phone, call }} />;
}

function RingingButtons({ phone }: { readonly phone: Phone }): ReactNode {
  const buttons = useRef<HTMLDivElement>(null);
  // Whoever works by keyboard answers with Enter, and is afterwards where it was; who types goes on typing.
  useLayoutEffect(() => {
    const [box, before] = [buttons.current, document.activeElement];
    box?.closest('[role=alertdialog]')?.scrollIntoView({ block: 'nearest' });
    if (!isTypedInto(before)) box?.querySelector('button')?.focus({ preventScroll: true });
    return () => {
      const wasHere = box?.contains(document.activeElement) ?? false;
      if (wasHere && before instanceof HTMLElement && before !== document.body) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <Group ref={buttons} wrap="nowrap">
      <Button size="md" radius="xl" leftSection={<Icon name="phone" />} onClick={() => phone.answer()}>
        Answer
      </Button>
      <Button size="md" radius="xl" variant="default" onClick={() => phone.decline()}>
        Decline
      </Button>
    </Group>
  );
}

function TalkingButtons({ phone, call }: { readonly phone: Phone; readonly call: PhoneCallState }): ReactNode {
  return (
    <Group>
      <Button size="md" radius="xl" color="red.8" leftSection={<Icon name="hangup" />} onClick={() => phone.hangUp()}>
        Hang up
      </Button>
      <Button
        size="md"
        radius="xl"
        variant="default"
        aria-pressed={call.isMuted}
        disabled={call.status === 'ringing'}
        leftSection={<Icon name={call.isMuted ? 'mute' : 'microphone'} />}
        onClick={() => phone.toggleMute()}
      >
        {call.isMuted ? 'Unmute' : 'Mute'}
      </Button>
    </Group>
  );
}
