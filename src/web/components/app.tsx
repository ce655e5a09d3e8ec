import { Center, Loader } from '@mantine/core';
import { useCallback, useEffect, useState, type ReactNode } from 'react';
import { DoorError } from '../door.ts';
import type { Session } from '../model.ts';
import type { PageParts } from '../page-parts.ts';
import { Console } from './console.tsx';
import { LogIn } from './log-in.tsx';
import { Unreachable } from './notices.tsx';

type Entrance =
  | { readonly kind: 'asking' }
  | { readonly kind: 'log-in' }
  | { readonly kind: 'unreachable'; readonly why: string }
  | { readonly kind: 'in'; readonly session: Session };

/** Who comes in: at once on the machine itself, else with the account's credentials. */
export function App({ parts }: { readonly parts: PageParts }): ReactNode {
  const [entrance, setEntrance] = useState<Entrance>({ kind: 'asking' });
  const enter = useCallback(() => {
    parts.door.session().then(
      (session) => setEntrance({ kind: 'in', session }),
      (error: unknown) => {
        const refused = error instanceof DoorError && error.status === 401;
        setEntrance(refused ? { kind: 'log-in' } : { kind: 'unreachable', why: textOf(error) });
      },
    );
  }, [parts]);
  const leave = useCallback(() => {
    parts.closePhone();
    setEntrance({ kind: 'log-in' });
  }, [parts]);
  useEffect(enter, [enter]);
  switch (entrance.kind) {
    case 'asking':
      return (
        <Center mih="100vh">
          <Loader aria-label="Opening the page" />
        </Center>
      );
    case 'log-in':
      return <LogIn door={parts.door} onEntered={enter} />;
    case 'unreachable':
      return <Unreachable why={entrance.why} onRetry={enter} />;
    case 'in':
      return <Console parts={parts} session={entrance.session} onRefused={leave} />;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
