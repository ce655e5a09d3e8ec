import { Alert, Box, Button, Group, Paper, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import type { LiveConnection } from '../live-connection.ts';
import type { Phone, PhoneCallState, PhoneState } from '../phone.ts';
import { CallButtons, CallWords, isIncoming, titleOf } from './call-controls.tsx';
import { Icon } from './icon.tsx';
import { Keypad } from './keypad.tsx';
import { useStore } from './use-store.ts';

/** The page as a phone: asks to be called, rings, talks. */
export function CallMe({ live, phone }: { readonly live: LiveConnection; readonly phone: Phone }): ReactNode {
  const state = useStore(phone.state);
  return (
    <Paper className="hero" p={{ base: 'lg', sm: 'xl' }} radius="lg" component="section" aria-labelledby="phone-title">
      {state.call === undefined ? (
        <AtRest phone={phone} state={state} />
      ) : (
        <InCall {...{ live, phone }} call={state.call} />
      )}
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

interface InCallProps {
  readonly live: LiveConnection;
  readonly phone: Phone;
  readonly call: PhoneCallState;
}

function InCall({ live, phone, call }: InCallProps): ReactNode {
  const isRinging = call.status === 'ringing';
  return (
    <Group
      wrap="nowrap"
      align="flex-start"
      gap="lg"
      {...(isIncoming(call) ? { role: 'alertdialog', 'aria-labelledby': 'phone-title' } : {})}
    >
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
          <CallWords {...{ live, call }} hint="Press keys here or on your keyboard." />
        </div>
        <CallButtons {...{ phone, call }} />
        {isRinging ? null : (
          <Box hiddenFrom="md">
            <Keypad onPress={(key) => void phone.press(key)} />
          </Box>
        )}
      </Stack>
    </Group>
  );
}
