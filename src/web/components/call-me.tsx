import { Alert, Box, Button, Group, Paper, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { useEffect, useRef, type ReactNode } from 'react';
import type { Phone, PhoneCallState, PhoneState } from '../phone.ts';
import { clockText } from '../words.ts';
import { Icon } from './icon.tsx';
import { Keypad } from './keypad.tsx';
import { useNow } from './use-now.ts';
import { useStore } from './use-store.ts';

/** The page as a phone: asks to be called, rings, talks. */
export function CallMe({ phone }: { readonly phone: Phone }): ReactNode {
  const state = useStore(phone.state);
  return (
    <Paper className="hero" p={{ base: 'lg', sm: 'xl' }} radius="lg" component="section" aria-labelledby="phone-title">
      {state.call === undefined ? <AtRest phone={phone} state={state} /> : <InCall phone={phone} call={state.call} />}
      {state.problem === undefined ? null : (
        <Alert
          mt="md"
          color="red"
          role="alert"
          title={state.problem.title}
          withCloseButton
          closeButtonLabel="Dismiss"
          onClose={() => phone.dismiss()}
        >
          {state.problem.advice}
        </Alert>
      )}
      {state.note === undefined ? null : (
        <Text mt="md" size="sm" role="status" className="breaks">
          {state.note}
        </Text>
      )}
    </Paper>
  );
}

function AtRest({ phone, state }: { readonly phone: Phone; readonly state: PhoneState }): ReactNode {
  const asked = state.busy === 'call-me';
  return (
    <Stack gap="md" align="flex-start">
      <div>
        <Title order={1} size="h2" id="phone-title">
          Your browser is a phone
        </Title>
        <Text className="quiet" mt={4} maw={460}>
          Press the button: your own Tandem rings this page, speaks, and says back the keys that you press. No phone, no
          account elsewhere, no code yet.
        </Text>
      </div>
      <Group gap="md">
        <Button
          size="xl"
          radius="xl"
          leftSection={<Icon name="phone" size={24} />}
          loading={asked}
          onClick={() => void phone.callMe()}
        >
          Call me
        </Button>
        <Text size="sm" className="quiet" role="status">
          {lineText(state)}
        </Text>
      </Group>
    </Stack>
  );
}

function lineText({ line, busy }: PhoneState): string {
  if (busy === 'call-me') return 'Asking Tandem to ring you…';
  switch (line) {
    case 'off':
      return 'Your browser asks for the microphone first.';
    case 'registering':
      return 'Registering this page as a phone…';
    case 'ready':
      return 'This page is registered: others can ring it too.';
    case 'lost':
      return 'The phone lost its connection and tries again.';
  }
}

function InCall({ phone, call }: { readonly phone: Phone; readonly call: PhoneCallState }): ReactNode {
  const isRinging = call.status === 'ringing';
  return (
    <Group wrap="nowrap" align="flex-start" gap="lg">
      <Box className={isRinging ? 'ringing' : undefined} style={{ borderRadius: '50%', flex: 'none' }} visibleFrom="xs">
        <ThemeIcon size={64} radius="50%" variant="filled">
          <Icon name="phone" size={30} />
        </ThemeIcon>
      </Box>
      <Stack gap="sm" style={{ minWidth: 0, flex: 1 }}>
        <div aria-live="polite">
          <Title order={1} size="h2" id="phone-title" className="breaks">
            {titleOf(call)}
          </Title>
          <CallWords call={call} />
        </div>
        {isRinging && call.direction === 'in' ? (
          <RingingButtons phone={phone} />
        ) : (
          <TalkingButtons {...{ phone, call }} />
        )}
        {isRinging ? null : (
          <Box hiddenFrom="md">
            <Keypad onPress={(key) => void phone.press(key)} />
          </Box>
        )}
      </Stack>
    </Group>
  );
}

function titleOf(call: PhoneCallState): string {
  if (call.status !== 'ringing') return `In a call with ${call.with}`;
  return call.direction === 'in' ? `${call.with} is calling` : `Calling ${call.with}`;
}

function CallWords({ call }: { readonly call: PhoneCallState }): ReactNode {
  const now = useNow(500);
  if (call.status === 'reconnecting') return <Text>The sound is interrupted; the call is being taken up again.</Text>;
  if (call.openSince === undefined) {
    return (
      <Text className="quiet">{call.isAwaited ? 'You asked for it: it is answered in a moment.' : 'It rings.'}</Text>
    );
  }
  return (
    <Group gap="md">
      <Text className="mono" size="lg" role="timer">
        {clockText(now - call.openSince)}
      </Text>
      <Text className="quiet">
        {call.digits === '' ? (
          'Press keys here or on your keyboard.'
        ) : (
          <>
            You pressed <b className="mono">{call.digits}</b>
          </>
        )}
      </Text>
    </Group>
  );
}

function RingingButtons({ phone }: { readonly phone: Phone }): ReactNode {
  const answer = useRef<HTMLButtonElement>(null);
  // Whoever works by keyboard answers with Enter.
  useEffect(() => answer.current?.focus(), []);
  return (
    <Group>
      <Button ref={answer} size="md" radius="xl" leftSection={<Icon name="phone" />} onClick={() => phone.answer()}>
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
