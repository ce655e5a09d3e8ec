import { Button, Group, Paper, Tabs, Text, Title } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { codeSample, HIDDEN_TOKEN, HOW_TO_RUN, LANGUAGES, type Language, type SampleFacts } from '../code-samples.ts';
import type { Door } from '../door.ts';
import type { Session } from '../model.ts';
import type { Phone } from '../phone.ts';
import { Icon } from './icon.tsx';
import { useCopy } from './use-copy.ts';

interface CodeCardProps {
  readonly door: Door;
  readonly session: Session;
  readonly phone: Phone;
}

/** The code that does what Call me does. The auth token is put in when it is copied. */
export function CodeCard({ door, session, phone }: CodeCardProps): ReactNode {
  const [language, setLanguage] = useState<Language>('node');
  const facts = (authToken: string): SampleFacts => ({
    origin: originFor(session.welcomeUrl),
    accountSid: session.account.sid,
    authToken,
    from: session.numbers[0]?.phoneNumber ?? '+12025550100',
    to: `client:${phone.identity}`,
    url: session.welcomeUrl,
  });
  const copying = useCopy(async () => {
    // Whoever copies the lines runs them: the page has to be there to ring.
    await phone.standBy();
    return codeSample(language, facts(await door.authToken()));
  });
  return (
    <Paper className="card" p="md" radius="lg" component="section" aria-labelledby="code-title">
      <Title order={2} size="h4" id="code-title">
        The same from code
      </Title>
      <Text size="sm" className="quiet" mb="xs">
        These lines ring this page, as Call me does; Copy makes it ready to be rung.
      </Text>
      <Tabs value={language} onChange={(value) => setLanguage(value === 'curl' ? 'curl' : 'node')}>
        <Group justify="space-between" wrap="nowrap" mb="xs">
          <Tabs.List>
            {LANGUAGES.map(({ value, label }) => (
              <Tabs.Tab key={value} value={value}>
                {label}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<Icon name={copying.copied ? 'check' : 'copy'} size={14} />}
            onClick={copying.copy}
          >
            {copying.copied ? 'Copied' : 'Copy'}
          </Button>
        </Group>
        {LANGUAGES.map(({ value, label }) => (
          <Tabs.Panel key={value} value={value}>
            <pre className="code" tabIndex={0} aria-label={`Lines for ${label}`}>
              {codeSample(value, facts(HIDDEN_TOKEN))}
            </pre>
          </Tabs.Panel>
        ))}
      </Tabs>
      <Text size="xs" className="quiet" mt={6} role="status">
        {copying.failure ?? `Copy puts your auth token in its place. ${HOW_TO_RUN[language]}`}
      </Text>
    </Paper>
  );
}

/** At this machine the lines name the server as it names itself, once; from elsewhere as the page was found. */
function originFor(ownUrl: string): string {
  return location.hostname === 'localhost' ? new URL(ownUrl).origin : location.origin;
}
