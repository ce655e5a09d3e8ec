import { Alert, Button, Center, Group, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { useState, type FormEvent, type ReactNode } from 'react';
import type { Door } from '../door.ts';
import { Mark } from './icon.tsx';

interface LogInProps {
  readonly door: Door;
  onEntered(): void;
}

export function LogIn({ door, onEntered }: LogInProps): ReactNode {
  const [accountSid, setAccountSid] = useState('');
  const [authToken, setAuthToken] = useState('');
  const [refusal, setRefusal] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    door
      .logIn(accountSid, authToken)
      .then(onEntered, (error: unknown) => setRefusal(error instanceof Error ? error.message : String(error)))
      .finally(() => setBusy(false));
  };
  return (
    <Center component="main" mih="100vh" p="md">
      <Paper className="card" p="xl" w="100%" maw={420} radius="lg">
        <form onSubmit={submit}>
          <Stack>
            <Group gap="sm">
              <Mark />
              <Title order={1} size="h3">
                Tandem
              </Title>
            </Group>
            <Text size="sm" className="quiet">
              You are not at the machine that runs Tandem, so show its account once. Both lines stand where it was
              started.
            </Text>
            {refusal === undefined ? null : (
              <Alert color="red" role="alert" title="Not let in">
                {refusal}
              </Alert>
            )}
            <TextInput
              label="Account SID"
              placeholder="AC…"
              autoComplete="username"
              required
              value={accountSid}
              onChange={(event) => setAccountSid(event.currentTarget.value)}
            />
            <PasswordInput
              label="Auth token"
              autoComplete="current-password"
              required
              value={authToken}
              onChange={(event) => setAuthToken(event.currentTarget.value)}
            />
            <Button type="submit" loading={busy} fullWidth>
              Open the page
            </Button>
          </Stack>
        </form>
      </Paper>
    </Center>
  );
}
