import { Button, Group, Paper, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { HIDDEN_TOKEN } from '../code-samples.ts';
import type { Door } from '../door.ts';
import type { Session } from '../model.ts';
import { CopyText } from './copy-text.tsx';
import { Icon } from './icon.tsx';
import { useCopy } from './use-copy.ts';

export function AccountCard({ door, session }: { readonly door: Door; readonly session: Session }): ReactNode {
  const { account, numbers } = session;
  const token = useCopy(() => door.authToken());
  return (
    <Paper className="card" p="md" radius="lg" component="section" aria-labelledby="account-title">
      <Title order={2} size="h4" id="account-title" mb="xs">
        Account
      </Title>
      <Stack gap={10}>
        <Fact name="Name">
          <Text size="sm" className="breaks">
            {account.name}
          </Text>
        </Fact>
        <Fact name="Account SID">
          <CopyText text={account.sid} name="account SID" />
        </Fact>
        <Fact name="Auth token">
          <Group gap="sm">
            <Text size="sm" className="mono" aria-label="hidden">
              {HIDDEN_TOKEN}
            </Text>
            <Button
              size="compact-xs"
              variant="default"
              leftSection={<Icon name={token.copied ? 'check' : 'copy'} size={14} />}
              onClick={token.copy}
            >
              {token.copied ? 'Copied' : 'Copy the auth token'}
            </Button>
          </Group>
        </Fact>
        <Fact name={numbers.length === 1 ? 'Number' : 'Numbers'}>
          {numbers.length === 0 ? (
            <Text size="sm">
              None yet. <span className="mono">npx tandem number add +12025550100</span>
            </Text>
          ) : (
            numbers.map(({ phoneNumber, name }) => (
              <Text key={phoneNumber} size="sm" className="breaks">
                <Text span size="xs" className="mono">
                  {phoneNumber}
                </Text>
                {name === phoneNumber ? null : (
                  <Text span size="xs" className="quiet">
                    {` ${name}`}
                  </Text>
                )}
              </Text>
            ))
          )}
        </Fact>
        {token.failure === undefined ? null : (
          <Text size="xs" c="red" role="alert">
            {token.failure}
          </Text>
        )}
      </Stack>
    </Paper>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactNode {
  return (
    <div>
      <Text size="xs" className="quiet">
        {name}
      </Text>
      {children}
    </div>
  );
}
