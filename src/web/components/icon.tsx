import type { ReactNode } from 'react';

const PATHS = {
  home: 'M4 11.5 12 5l8 6.5M6 10v9h4.5v-5h3v5H18v-9',
  calls: 'M4 6h16M4 12h16M4 18h10',
  phone:
    'M6.6 4h2.6l1.3 4-2 1.3a11 11 0 0 0 6.2 6.2l1.3-2 4 1.3v2.6c0 .9-.7 1.6-1.6 1.6A14.4 14.4 0 0 1 5 5.600C5 4.700 5.700 4 6.600 4Z',
  hangup: 'M3 14.500c5-5 13-5 18 0l-2.300 2.300-3.200-1.700v-2a12 12 0 0 0-7 0v2l-3.200 1.700Z',
  in: 'M18 6 7 17M7 9v8h8',
  out: 'M6 18 17 7M9 7h8v8',
  loop: 'M5 12h14M13 6l6 6-6 6',
  copy: 'M9 9h10v10H9zM5 15V5h10',
  check: 'm5 12.500 4.500 4.500L19 7.500',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM12 3v2M12 19v2M3 12h2M19 12h2M5.600 5.600 7 7M17 17l1.400 1.400M18.400 5.600 17 7M7 17l-1.400 1.400',
  moon: 'M19 14.500A7.500 7.500 0 0 1 9.500 5a7.500 7.500 0 1 0 9.500 9.500Z',
  mute: 'M9 9V7a3 3 0 0 1 6 0v4M6 11a6 6 0 0 0 9 5.200M12 17v3M4 4l16 16M18 11a6 6 0 0 1-.6 2.600',
  microphone: 'M12 4a3 3 0 0 0-3 3v4a3 3 0 0 0 6 0V7a3 3 0 0 0-3-3ZM6 11a6 6 0 0 0 12 0M12 17v3',
  back: 'M20 12H5M11 6l-6 6 6 6',
  chevron: 'm9 6 6 6-6 6',
  erase: 'M9 6h11v12H9l-5-6ZM12 10l4 4M16 10l-4 4',
  leave: 'M14 5h5v14h-5M11 8l-4 4 4 4M7 12h9',
} as const;

export type IconName = keyof typeof PATHS;

/** Decoration only: what it means stands beside it, or in the name of its button. */
export function Icon({ name, size = 20 }: { readonly name: IconName; readonly size?: number }): ReactNode {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.8}
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark: two that go together. */
export function Mark({ size = 28 }: { readonly size?: number }): ReactNode {
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 32 32" fill="none" strokeWidth={4}>
      <circle cx="11" cy="16" r="7.5" stroke="var(--mantine-color-tandem-6)" />
      <circle cx="21" cy="16" r="7.5" stroke="var(--mantine-color-indigo-5)" />
      <path d="M11 8.5a7.5 7.5 0 0 1 7.5 7.5" stroke="var(--mantine-color-tandem-6)" strokeLinecap="round" />
    </svg>
  );
}
