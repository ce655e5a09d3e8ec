import { useEffect } from 'react';
import type { Phone } from '../phone.ts';

/** Digits of the keyboard go into the call, unless they are typed into a field. */
export function useKeysInCall(phone: Phone): void {
  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      if (isTypedInto(event.target)) return;
      if (event.ctrlKey || event.metaKey || event.altKey || !/^[0-9*#]$/.test(event.key)) return;
      if (phone.press(event.key)) event.preventDefault();
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, [phone]);
}

export function isTypedInto(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return target.type !== 'radio';
  return target instanceof HTMLTextAreaElement;
}
