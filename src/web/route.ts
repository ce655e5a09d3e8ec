/** Where one is in the console; a room more is a kind more. */
export type Route = { readonly room: 'home' } | { readonly room: 'calls'; readonly sid: string | undefined };

/** From the address's fragment: `#/`, `#/calls`, `#/calls/CA…`. What is unknown leads home. */
export function routeOf(fragment: string): Route {
  const [, room, sid] = fragment.replace(/^#/, '').split('/');
  if (room !== 'calls') return { room: 'home' };
  return { room: 'calls', sid: sid !== undefined && /^CA[0-9a-f]{32}$/.test(sid) ? sid : undefined };
}

export function fragmentOf(route: Route): string {
  if (route.room === 'home') return '#/';
  return route.sid === undefined ? '#/calls' : `#/calls/${route.sid}`;
}
