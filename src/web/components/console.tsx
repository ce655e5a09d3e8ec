import { useEffect, useMemo, type ReactNode } from 'react';
import type { Session } from '../model.ts';
import type { PageParts } from '../page-parts.ts';
import { CallsRoom } from './calls-room.tsx';
import { HomeRoom } from './home-room.tsx';
import { Shell } from './shell.tsx';
import { useKeysInCall } from './use-keys-in-call.ts';
import { useRoute } from './use-route.ts';
import { useStore } from './use-store.ts';

interface ConsoleProps {
  readonly parts: PageParts;
  readonly session: Session;
  onRefused(): void;
}

/** The rooms of the console and the frame around them. */
export function Console({ parts, session, onRefused }: ConsoleProps): ReactNode {
  const { live, door } = parts;
  const route = useRoute();
  const phone = useMemo(() => parts.phone(session), [parts, session]);
  const { connection } = useStore(live.state);
  useEffect(() => {
    const wake = (): void => (document.visibilityState === 'visible' ? live.wake() : live.rest());
    live.start();
    wake();
    document.addEventListener('visibilitychange', wake);
    addEventListener('online', wake);
    return () => {
      live.stop();
      document.removeEventListener('visibilitychange', wake);
      removeEventListener('online', wake);
    };
  }, [live]);
  useEffect(() => {
    if (connection === 'refused') onRefused();
  }, [connection, onRefused]);
  useKeysInCall(phone);
  const logOut = (): void => void door.logOut().then(onRefused, onRefused);
  return (
    <Shell {...{ live, phone }} route={route} session={session} onLogOut={session.isLocal ? undefined : logOut}>
      {route.room === 'home' ? (
        <HomeRoom {...{ live, phone, door, session }} />
      ) : (
        <CallsRoom {...{ live, session }} sid={route.sid} />
      )}
    </Shell>
  );
}
