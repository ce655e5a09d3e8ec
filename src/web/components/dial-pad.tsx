import { ActionIcon, Autocomplete, Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import { useState, type FormEvent, type ReactNode } from 'react';
import type { Session } from '../model.ts';
import type { Phone } from '../phone.ts';
import { isIncoming } from './call-controls.tsx';
import { Icon } from './icon.tsx';
import { Keypad } from './keypad.tsx';
import { useStore } from './use-store.ts';

/** Dials numbers, phones and other browsers from this page; in a call its keys are heard. */
export function DialPad({ phone, session }: { readonly phone: Phone; readonly session: Session }): ReactNode {
  const { call, busy } = useStore(phone.state);
  const [to, setTo] = useState('');
  const press = (key: string): void => {
    if (!phone.press(key)) setTo((text) => `${text}${key}`);
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (to.trim() !== '') void phone.dial(to.trim());
  };
  // While a call only comes in, whoever types here goes on typing.
  const inCall = call !== undefined && !isIncoming(call);
  return (
    // On a narrow screen the keys stand in the call itself.
    <Paper
      className="card"
      p="md"
      radius="lg"
      component="section"
      aria-labelledby="dial-title"
      {...(inCall ? { visibleFrom: 'md' } : {})}
    >
      <Title order={2} size="h4" id="dial-title">
        Dial
      </Title>
      <Text size="sm" className="quiet" mb="xs">
        {inCall ? 'The keys are sent into the call.' : 'A number, a phone’s name, or client:NAME of another browser.'}
      </Text>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <Autocomplete
            aria-label="Whom to dial"
            placeholder="+12025550100, alice, client:jenny"
            value={to}
            onChange={setTo}
            disabled={inCall}
            data={suggestions(session)}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            maxLength={200}
            rightSection={
              to === '' ? null : (
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label="Erase the last sign"
                  onClick={() => setTo(to.slice(0, -1))}
                >
                  <Icon name="erase" />
                </ActionIcon>
              )
            }
          />
          <Keypad onPress={press} />
          <Button
            type="submit"
            loading={busy === 'dial'}
            disabled={call !== undefined || to.trim() === ''}
            leftSection={<Icon name="phone" />}
          >
            Dial
          </Button>
          {session.phones.length === 0 ? (
            <Group gap={4}>
              <Text size="xs" className="quiet">
                No phone is known yet: <span className="mono">npx tandem phone add alice</span>
              </Text>
            </Group>
          ) : null}
        </Stack>
      </form>
    </Paper>
  );
}

function suggestions({ phones, numbers }: Session): string[] {
  return [...new Set([...phones.map(({ name }) => name), ...numbers.map(({ phoneNumber }) => phoneNumber)])];
}
