/** What a user types for this program: in a clone it is not in the PATH, and npm finds it there. */
export const COMMAND = import.meta.url.endsWith('.ts') ? 'npx tandem' : 'tandem';
