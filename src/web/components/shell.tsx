import {
  ActionIcon,
  AppShell,
  Box,
  Burger,
  Group,
  NavLink,
  Stack,
  Text,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useEffect, type ReactNode } from 'react';
import type { LiveConnection, LiveState } from '../live-connection.ts';
import type { Session } from '../model.ts';
import type { Phone } from '../phone.ts';
import { fragmentOf, type Route } from '../route.ts';
import { CallAnnouncement, CallBar } from './call-bar.tsx';
import { Icon, Mark, type IconName } from './icon.tsx';
import { Notices } from './notices.tsx';
import { useStore } from './use-store.ts';

/** A room more of the console is a line more. */
const ROOMS: readonly { readonly route: Route; readonly label: string; readonly icon: IconName }[] = [
  { route: { room: 'home' }, label: 'Home', icon: 'home' },
  { route: { room: 'calls', sid: undefined }, label: 'Calls', icon: 'calls' },
];

interface ShellProps {
  readonly live: LiveConnection;
  readonly phone: Phone;
  readonly route: Route;
  readonly session: Session;
  readonly onLogOut: (() => void) | undefined;
  readonly children: ReactNode;
}

export function Shell({ live, phone, route, session, onLogOut, children }: ShellProps): ReactNode {
  const [isOpen, { toggle, close }] = useDisclosure(false);
  const isRung = useStore(phone.state).call?.status === 'ringing';
  // After a step to another room the navigation has done its work; a call that rings is not to be hidden by it.
  useEffect(close, [route.room, isRung, close]);
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 216, breakpoint: 'sm', collapsed: { mobile: !isOpen } }}
      padding={{ base: 'sm', sm: 'lg' }}
    >
      <AppShell.Header className="card" style={{ borderWidth: '0 0 1px' }}>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={isOpen}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={isOpen ? 'Close the navigation' : 'Open the navigation'}
            />
            <Mark />
            <Text fw={700} size="lg" component="span">
              Tandem
            </Text>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <Liveness live={live} />
            <SchemeSwitch />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar className="card" p="sm" style={{ borderWidth: '0 1px 0 0' }} aria-label="Rooms">
        <Stack gap={4} style={{ flex: 1 }}>
          {ROOMS.map(({ route: to, label, icon }) => (
            <NavLink
              key={label}
              href={fragmentOf(to)}
              label={label}
              active={to.room === route.room}
              aria-current={to.room === route.room ? 'page' : undefined}
              leftSection={<Icon name={icon} />}
              onClick={close}
              styles={{ root: { borderRadius: 8 }, label: { fontWeight: 550 } }}
            />
          ))}
        </Stack>
        <About session={session} />
        {onLogOut === undefined ? null : (
          <NavLink component="button" label="Log out" leftSection={<Icon name="leave" />} onClick={onLogOut} mt="sm" />
        )}
      </AppShell.Navbar>
      <AppShell.Main>
        <Box maw={1120} mx="auto">
          {/* The first room is about the call itself. */}
          {route.room === 'home' ? null : <CallBar {...{ live, phone }} />}
          <Notices live={live} />
          {children}
        </Box>
      </AppShell.Main>
      <CallAnnouncement phone={phone} />
    </AppShell>
  );
}

const LIVENESS: Readonly<Record<LiveState['connection'], { readonly text: string; readonly color: string }>> = {
  connecting: { text: 'Connecting', color: 'var(--mantine-color-yellow-6)' },
  live: { text: 'Live', color: 'var(--mantine-color-tandem-6)' },
  lost: { text: 'Connection lost', color: 'var(--mantine-color-red-6)' },
  refused: { text: 'Not let in', color: 'var(--mantine-color-red-6)' },
};

function Liveness({ live }: { readonly live: LiveConnection }): ReactNode {
  const { text, color } = LIVENESS[useStore(live.state).connection];
  return (
    <Group gap={7} wrap="nowrap" px={6}>
      <span
        className={text === 'Live' ? undefined : 'pulse'}
        style={{ width: 9, height: 9, borderRadius: '50%', background: color }}
      />
      <Text size="sm" className="quiet">
        {text}
      </Text>
    </Group>
  );
}

function SchemeSwitch(): ReactNode {
  const { setColorScheme } = useMantineColorScheme();
  const isDark = useComputedColorScheme('light') === 'dark';
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      size="lg"
      aria-label={isDark ? 'Use light colours' : 'Use dark colours'}
      onClick={() => setColorScheme(isDark ? 'light' : 'dark')}
    >
      <Icon name={isDark ? 'sun' : 'moon'} />
    </ActionIcon>
  );
}

function About({ session: { about } }: { readonly session: Session }): ReactNode {
  const facts = [
    ['REST API', about.http],
    ['HTTPS', about.https ?? 'off'],
    ['SIP', about.sip],
    ['Voice', about.speech],
  ];
  return (
    <dl style={{ margin: 0, padding: '0 10px' }}>
      {facts.map(([name, value]) => (
        <div key={name} style={{ marginTop: 8 }}>
          <Text component="dt" size="xs" className="quiet">
            {name}
          </Text>
          <Text component="dd" size="xs" className="breaks" m={0}>
            {value}
          </Text>
        </div>
      ))}
    </dl>
  );
}
